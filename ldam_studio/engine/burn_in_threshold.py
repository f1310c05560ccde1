"""The activation that a burned-in chain must exceed: the 99 % quantile over noise images.

On a large network, evaluating 256 noise images at once would delay the first frame by seconds. They
are therefore evaluated in portions, one per step from the second step on. The last portion is done
before any chain can be burned in, which takes at least two blocks of samples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.compute.transfer import to_device
from ldam_studio.networks.anatomy.crops import Crop
from ldam_studio.networks.anatomy.units import Units
from ldam_studio.networks.network import Network
from ldam_studio.sampler.burn_in import BLOCK
from ldam_studio.sampler.settings import Settings

NOISE_IMAGES = 256
NOISE_QUANTILE = 0.99
PORTION_VALUES = NOISE_IMAGES * 28 * 28  # pixels per portion: small images fit into one
LEAST_PORTION = -(-NOISE_IMAGES // (2 * BLOCK - 1))


@dataclass(frozen=True)
class Thresholds:
    """The chains' burn-in thresholds, (chains,).

    They are NaN, which no activation exceeds, until all noise images are evaluated. `seen` holds
    the activations on the noise images so far, (n, chains); it is None when nothing is left to
    evaluate. If `slow`, each step evaluates the smallest possible portion.
    """

    values: Tensor
    seen: Tensor | None = None
    slow: bool = False

    @property
    def wanted(self) -> bool:
        """Whether noise images are still to be evaluated."""
        return self.seen is not None


def begin(settings: Settings, chains: int, device: torch.device | str) -> Thresholds:
    """Return the threshold that the user has set, or NaN if it is to be measured."""
    if settings.threshold != "auto":
        return Thresholds(torch.full((chains,), float(settings.threshold), device=device))
    values = torch.full((chains,), torch.nan, device=device)
    return Thresholds(values, values.new_empty((0, chains)))


def begin_again(settings: Settings, chains: int, device: torch.device | str) -> Thresholds:
    """Return what `begin` does, for chains that are already running.

    The portions are small, so that no single step takes noticeably longer.
    """
    return replace(begin(settings, chains, device), slow=True)


def proceed(
    thresholds: Thresholds,
    network: Network,
    units: Units,
    crop: Crop | None,
    settings: Settings,
    device: Device,
) -> Thresholds:
    """Evaluate the next portion of noise images; after the last one the thresholds are known.

    `units` are the chains' neurons, evaluated on `crop` of the image if there is one.
    """
    seen = thresholds.seen
    if seen is None:
        return thresholds
    pixels = network.pixels
    count = LEAST_PORTION
    if not thresholds.slow:
        count = max(count, PORTION_VALUES // (pixels.height * pixels.width))
    count = min(count, NOISE_IMAGES - len(seen))
    # Each portion has its own seed, so that the session's generators do not advance.
    generator = torch.Generator().manual_seed(len(seen))
    noise = to_device(torch.randn((count, *pixels.shape), generator=generator), device.name)
    x = pixels.rest + settings.start_spread * noise
    if settings.clamp:
        x = x.clamp_(*pixels.bounds)
    with torch.no_grad():
        shown = x if crop is None else crop.cut(x)
        values = network.all_activations(shown, units, device.plan).float()
    seen = torch.cat([seen, values])
    if len(seen) < NOISE_IMAGES:
        return replace(thresholds, seen=seen)
    return Thresholds(seen.quantile(NOISE_QUANTILE, dim=0))
