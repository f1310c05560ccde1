"""Measuring the moments of photographs at the layers of a network."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from ldam_studio.errors import StudioError
from ldam_studio.networks.forward import Forward
from ldam_studio.networks.pixels import of_levels
from ldam_studio.networks.statistics.layers import choose_layers
from ldam_studio.networks.statistics.statistics import PhotoStatistics, floored, key_of
from ldam_studio.sampler.views import View, seen_in

SHARES = (128 / 224, 160 / 224, 192 / 224, 1.0)
"""Sizes of the image at which moments are measured, as shares of the network's own."""
ZOOM, ANGLE = 1.25, math.radians(10)
"""The photographs are seen in random views: zoomed and turned by at most this much, mirrored."""
BATCH = 16
CHANNELS = (1, 3)
"""Numbers of channels that photographs can have."""


def layers_of(network: Forward) -> tuple[str, ...]:
    """Return the layers at which images are compared with photographs; see `choose_layers`."""
    try:
        return choose_layers(network.module, network.noise())
    except Exception:
        # The user's own module may do anything in a hook; then it is not compared.
        return ()


def measure(
    network: Forward,
    images: Tensor,
    source: str,
    seed: int = 0,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> PhotoStatistics:
    """Return the statistics of photographs at a network's layers.

    Parameters
    ----------
    images
        Photographs (n, C, H, W) of the network's size, uint8 from its black to its white.
    source
        What they are, in words.
    seed
        Of the random views.
    on_batch
        Called with the number of batches that are done and of all; an exception in it ends the
        measurement.

    Raises
    ------
    StudioError
        If the network has no layers at which images can be compared.
    """
    layers = layers_of(network)
    if not layers:
        raise StudioError(
            f"{network.name} has no convolutional layers at which images could be compared with "
            "photographs."
        )
    height, width = network.pixels.height, network.pixels.width
    shapes = [(round(share * height), round(share * width)) for share in SHARES]
    batches = images.split(BATCH)
    sides: dict[int, tuple[Tensor, Tensor]] = {}
    channels: tuple[int, ...] = ()
    for number, shape in enumerate(shapes):
        generator = torch.Generator().manual_seed(seed)
        rows = []
        for done, batch in enumerate(batches):
            on_batch(number * len(batches) + done, len(shapes) * len(batches))
            found = _moments(network, _seen(batch, network, shape, generator), layers)
            if found is None:  # the network takes only images of its own size
                break
            channels = tuple(part.shape[1] // 2 for part in found)
            rows.append(torch.cat(found, dim=1).cpu())
        if rows:
            every = torch.cat(rows)
            sides[min(shape)] = every.mean(0), floored(every.std(0), channels)
    if not sides:
        raise StudioError(f"{network.name} cannot be run on photographs of its own size.")
    statistics = PhotoStatistics(key_of(network.module), layers, channels, sides, source)
    return replace(statistics, sha256=hashlib.sha256(statistics.content()).hexdigest())


@torch.no_grad()
def _moments(network: Forward, x: Tensor, layers: Sequence[str]) -> list[Tensor] | None:
    try:
        return network.output_and_moments(x.to(network.device), network.layers[-1].name, layers)[1]
    except Exception:
        if x.shape[1:] == network.pixels.shape:
            raise
        return None


def _seen(
    batch: Tensor, network: Forward, shape: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Return photographs as the chains' images are seen: at a size, each in a view of its own."""
    pixels = network.pixels
    x = of_levels(batch, pixels.bounds)
    if tuple(x.shape[2:]) != shape:
        x = functional.interpolate(x, shape, mode="bilinear", antialias=True)
    seen = []
    for one in x.split(1):
        zoom, angle, mirror = torch.rand(3, generator=generator).tolist()
        view = View(
            zoom=ZOOM ** (2 * zoom - 1), angle=ANGLE * (2 * angle - 1), mirrored=mirror < 0.5
        )
        seen.append(seen_in(view, [None], one, pixels.rest)(one))
    return torch.cat(seen)
