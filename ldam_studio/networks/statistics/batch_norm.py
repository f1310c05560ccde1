"""Photo statistics from what batch norms have learned, for networks of which nothing is measured.

In training, a batch norm made its output have a known mean b and variance g^2 in each channel, over
images and places together (its bias and weight). How much of this variance lies between images was
measured once, for all batch norms of a ResNet-50 on photographs; it varies little from layer to
layer, and the medians are used for all networks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ldam_studio.networks.forward import Forward
from ldam_studio.networks.statistics.layers import choose_norms
from ldam_studio.networks.statistics.statistics import PhotoStatistics, floored

MEAN_STD = 0.26
"""Standard deviation over images of a channel's spatial mean, as a share of g."""
STD_MEAN, STD_STD = 0.83, 0.15
"""Mean and standard deviation over images of its spatial standard deviation, as shares of g."""


def of_batch_norms(network: Forward) -> PhotoStatistics | None:
    """Return the statistics that follow from a network's batch norms; None if there are too few."""
    try:
        layers = choose_norms(network.module, network.noise())
    except Exception:
        # The user's own module may do anything in a hook; then it is not compared.
        return None
    if len(layers) < 2:
        return None
    norms = [network.module.get_submodule(name) for name in layers]
    found = [_moments(norm) for norm in norms if isinstance(norm, nn.BatchNorm2d)]
    channels = tuple(len(mean) // 2 for mean, _ in found)
    mean, std = (torch.cat(parts) for parts in zip(*found, strict=True))
    sides = {network.pixels.side: (mean, floored(std, channels))}
    return PhotoStatistics("", layers, channels, sides, "batch norms", overwritten=True)


def _moments(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation over images of a norm's moments, (2 channels,) each."""
    if norm.affine:
        bias, scale = norm.bias.float().cpu(), norm.weight.float().abs().cpu()
    else:
        bias, scale = torch.zeros(norm.num_features), torch.ones(norm.num_features)
    return torch.cat([bias, STD_MEAN * scale]), torch.cat([MEAN_STD * scale, STD_STD * scale])
