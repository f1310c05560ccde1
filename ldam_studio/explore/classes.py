"""The probabilities of a network's classes, however it ends."""

from __future__ import annotations

import torch
from torch import Tensor

from ldam_studio.networks.network import Network

LOG_PROBABILITY = "log-probability"


@torch.no_grad()
def probabilities(network: Network, x: Tensor) -> Tensor:
    """Return the probability of each class for images in pixel units.

    They are those of the class outputs before a softmax or sigmoid at the network's end, if there
    is one, see `networks.anatomy.class_values`.

    Parameters
    ----------
    x
        Shape (n, C, H, W).

    Returns
    -------
    Tensor
        Shape (n, classes), on the CPU.
    """
    layer = network.class_layer.name
    value = network.class_value(layer, LOG_PROBABILITY)
    units = network.units(network.spread(layer, network.class_layer.neurons), value)
    return network.all_activations(x.to(network.device), units).float().exp().cpu()


def confidence_words(share: float) -> str:
    """Return a probability as a percentage that is 100 only if it is certain."""
    return ">99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"
