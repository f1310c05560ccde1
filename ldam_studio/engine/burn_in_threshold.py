"""The activation that a chain must pass to be burned in: what 99 of 100 noise images do not reach.

On a large network 256 noise images would hold the first frame up for seconds. So they are looked at
in portions, one a step from the second step on, and done before any chain could burn in: that takes
two blocks of samples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.compute.transfer import to_device
from ldam_studio.networks.anatomy.fields import Crop
from ldam_studio.networks.anatomy.units import Units
from ldam_studio.networks.network import Network
from ldam_studio.sampler.burn_in import BLOCK
from ldam_studio.sampler.settings import Settings

NOISE_IMAGES = 256
NOISE_QUANTILE = 0.99
PORTION_VALUES = NOISE_IMAGES * 28 * 28  # pixels of a portion: all of them on small images
LEAST_PORTION = -(-NOISE_IMAGES // (2 * BLOCK - 1))


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the chains, (chains,): NaN, which nothing passes, until `seen` is complete.

    `seen` holds the chains' activations on noise images so far, (n, chains). `slow` is whether as
    few images as will do are looked at in each step.
    """

    values: Tensor
    seen: Tensor | None = None
    slow: bool = False

    @property
    def wanted(self) -> bool:
        """Whether noise images are still to be looked at."""
        return self.seen is not None


def begin(settings: Settings, chains: int, device: torch.device | str) -> Thresholds:
    """Return the person's threshold, or none yet where it is to be measured."""
    if settings.threshold != "auto":
        return Thresholds(torch.full((chains,), float(settings.threshold), device=device))
    values = torch.full((chains,), torch.nan, device=device)
    return Thresholds(values, values.new_empty((0, chains)))


def begin_again(settings: Settings, chains: int, device: torch.device | str) -> Thresholds:
    """Return what `begin` does, for chains that are running already: no step is to be felt."""
    return replace(begin(settings, chains, device), slow=True)


def proceed(
    thresholds: Thresholds,
    network: Network,
    units: Units,
    crop: Crop | None,
    settings: Settings,
    device: Device,
) -> Thresholds:
    """Look at the next portion of noise images; with the last one the thresholds are known.

    `units` are the chains' neurons, read on `crop` of the image if there is one.
    """
    seen = thresholds.seen
    if seen is None:
        return thresholds
    pixels = network.pixels
    count = LEAST_PORTION
    if not thresholds.slow:
        count = max(count, PORTION_VALUES // (pixels.height * pixels.width))
    count = min(count, NOISE_IMAGES - len(seen))
    # Each portion has a seed of its own, so that the session's sources are left alone.
    generator = torch.Generator().manual_seed(len(seen))
    noise = to_device(torch.randn((count, *pixels.shape), generator=generator), device.name)
    x = pixels.rest + settings.start_spread * noise
    if settings.clamp:
        x = x.clamp_(*pixels.bounds)
    with torch.no_grad(), device.autocast():
        output = network.output(x if crop is None else crop.cut(x), units.layer.name)
        values = units.read_all(output).float()
    seen = torch.cat([seen, values])
    if len(seen) < NOISE_IMAGES:
        return replace(thresholds, seen=seen)
    return Thresholds(seen.quantile(NOISE_QUANTILE, dim=0))
