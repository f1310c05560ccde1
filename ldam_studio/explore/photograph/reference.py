"""What is usual for each unit: its mean and spread over images that a photograph is compared with.

The first of these that there is counts for a layer: the images that the user has indexed (see
`explore.real_images`), real images of the network's kind (the shipped digits, CIFAR-10, or
photographs in a data folder), and the photo statistics of the network. Layers of which nothing is
known are left out, unless that is all of them: they are then compared with noise that has the
spectrum of the photograph itself, which is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ldam_studio.errors import StudioError
from ldam_studio.explore.photograph.means import means_of
from ldam_studio.explore.real_images import shards
from ldam_studio.explore.real_images.responses import MEAN, VALUE
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec, of_levels
from ldam_studio.networks.statistics.finding import find_statistics
from ldam_studio.networks.statistics.statistics import key_of
from ldam_studio.progress import tell
from ldam_studio.training.cifar10 import find_cifar10, load_cifar10
from ldam_studio.training.data import load_digits_sheet
from ldam_studio.training.photos import draw_crops, find_photos

DIGITS, SMALL, LARGE = 1000, 500, 96
"""Numbers of reference images: digits, images of CIFAR-10's size, photographs."""
LEAST_INDEXED, MOST_INDEXED = 100, 500
"""Indexed images from which on, and up to which, they are a reference."""
NOISE = 48
BATCH_VALUES = 1_200_000
FLOOR = 0.1
"""Least standard deviation of a unit, as a share of the median of its layer."""


@dataclass(frozen=True)
class Usual:
    """What is usual for the units of one layer.

    Attributes
    ----------
    mean, std
        Mean and standard deviation of each unit over the reference, (neurons,).
    words
        What the reference is, as part of a sentence: "1,000 digits".
    ordered
        The values of each unit, the smallest first, (n, neurons); None if only mean and standard
        deviation are known.
    is_real
        Whether the reference has real images.
    """

    mean: Tensor
    std: Tensor
    words: str
    ordered: Tensor | None = None
    is_real: bool = True

    def z(self, values: Tensor) -> Tensor:
        """Return how many standard deviations each unit's value (neurons,) is above its mean.

        Units that hardly ever differ have the least standard deviation, `FLOOR`.
        """
        floor = FLOOR * self.std.median().clamp_min(1e-6)
        return (values - self.mean) / torch.maximum(self.std, floor)

    def share_below(self, values: Tensor) -> Tensor | None:
        """Return the share of reference images in which each unit answers less, (neurons,)."""
        if self.ordered is None:
            return None
        return (self.ordered < values).float().mean(0)


def usual_of(
    network: Network, layers: Sequence[Layer], picture: Tensor, data: Path | None = None
) -> dict[str, Usual]:
    """Return what is usual for the units of the layers of which that is known.

    Parameters
    ----------
    picture
        The photograph, (C, H, W) in pixel units; it is the source of noise where nothing real is
        known.
    data
        A folder or zip with photographs of the user.
    """
    found = dict(_from_index(network, layers))
    rest = [layer for layer in layers if layer.name not in found]
    real = _real_images(network.pixels, data) if rest else None
    if real is not None:
        images, words = real
        return found | _measured(network, rest, images, words, is_real=True)
    found |= dict(_from_statistics(network, rest))
    if found:
        return found
    words = "noise with its spectrum"
    return _measured(network, layers, noise_like(picture), words, is_real=False)


def noise_like(picture: Tensor, count: int = NOISE) -> Tensor:
    """Return images (count, C, H, W) with the spectrum and mean of a picture and random phases.

    All channels get the same phases, so that colours stay related as in the picture.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((count, 1, *picture.shape[1:]), generator=generator)
    phases = torch.fft.rfft2(noise)
    phases = phases / phases.abs().clamp_min(1e-12)
    phases[..., 0, 0] = 1  # the mean stays
    found: Tensor = torch.fft.irfft2(torch.fft.rfft2(picture) * phases, s=picture.shape[1:])
    return found


def _real_images(pixels: PixelSpec, data: Path | None) -> tuple[Tensor, str] | None:
    """Return images (n, C, H, W) in pixel units, and what they are; None if none are known."""
    shape = pixels.shape
    if shape == (1, 28, 28):
        sheet = load_digits_sheet().images
        chosen = sheet[:: max(1, len(sheet) // DIGITS)][:DIGITS]
        return of_levels(chosen, pixels.bounds), f"{len(chosen):,} digits"
    if shape == (3, 32, 32) and find_cifar10() is not None:
        images = load_cifar10(None, "test").images[:SMALL]
        return of_levels(images, pixels.bounds), f"{len(images):,} images of CIFAR-10"
    if shape[0] == 3 and data is not None:
        try:
            photos = find_photos(data)
            tell("reading photographs")
            generator = torch.Generator().manual_seed(0)
            crops = draw_crops([photos], LARGE, shape[1:], generator)
        except StudioError:
            return None
        return of_levels(crops, pixels.bounds), f"{LARGE} photographs in {data.name}"
    return None


def _from_index(network: Network, layers: Sequence[Layer]) -> Iterator[tuple[str, Usual]]:
    """Yield what is usual on images that were indexed, where there are enough of them."""
    known = list(shards.read_all(shards.folder() / shards.key_of(network)))
    for layer in layers:
        part = MEAN if layer.places else VALUE[0]
        columns, seen = [], set[bytes]()
        for shard in known:
            if layer.name in shard.layers and shard.is_sound(layer):
                new = [n for n, digest in enumerate(shard.hashes) if digest not in seen]
                seen.update(shard.hashes)
                columns.append(shard.part(layer.name, part)[:, new])
        if len(seen) < LEAST_INDEXED:
            continue
        values = torch.from_numpy(np.concatenate(columns, axis=1).astype(np.float32)).T
        values = values[:: -(-len(values) // MOST_INDEXED)]
        words = f"{len(values):,} indexed images"
        yield layer.name, Usual(values.mean(0), values.std(0), words, values.sort(0).values)


def _from_statistics(network: Network, layers: Sequence[Layer]) -> Iterator[tuple[str, Usual]]:
    try:
        statistics = find_statistics(key_of(network.module))
    except StudioError:
        return
    if statistics is None:
        return
    side = network.pixels.side
    mean, std = statistics.sides[min(statistics.sides, key=lambda known: abs(known - side))]
    sizes = [2 * count for count in statistics.channels]
    names = {layer.name: layer.neurons for layer in layers}
    rows = zip(
        statistics.layers, statistics.channels, mean.split(sizes), std.split(sizes), strict=False
    )
    for name, channels, means, stds in rows:
        if names.get(name) == channels:
            words = statistics.source.partition(" of ")[0] or "photographs"
            yield name, Usual(means[:channels], stds[:channels], words)


def _measured(
    network: Network, layers: Sequence[Layer], images: Tensor, words: str, *, is_real: bool
) -> dict[str, Usual]:
    size = max(1, min(128, BATCH_VALUES // images[0].numel()))
    rows: dict[str, list[Tensor]] = {layer.name: [] for layer in layers}
    for done, batch in enumerate(images.split(size)):
        tell("comparing with " + words, done * size, len(images))
        for name, values in means_of(network, batch, layers).items():
            rows[name].append(values)
    every: Mapping[str, Tensor] = {name: torch.cat(found) for name, found in rows.items()}
    return {
        name: Usual(values.mean(0), values.std(0), words, values.sort(0).values, is_real)
        for name, values in every.items()
    }
