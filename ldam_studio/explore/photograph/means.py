"""The mean of every unit over all places, at several layers, in one forward pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.network import Network


def means_of(network: Network, x: Tensor, layers: Sequence[Layer]) -> dict[str, Tensor]:
    """Return each unit's mean over its layer's places, for images in pixel units.

    That is the value of the neuron ``layer:index@mean``; in layers without places, of
    ``layer:index``.

    Parameters
    ----------
    x
        Shape (n, C, H, W).

    Returns
    -------
    dict
        A tensor (n, neurons) for each layer, by its name, on the CPU.
    """
    names = [layer.name for layer in layers]
    with torch.no_grad():
        rows = network.outputs(x.to(network.device), names, _means)
    return {name: row.cpu() for name, row in zip(names, rows, strict=True)}


def _means(layer: Layer, output: Tensor) -> list[Tensor]:
    values = output.detach().float().movedim(layer.axis + 1, 1)
    # Copied, since a later rectifier may work in place.
    return [values.flatten(2).mean(2) if values.ndim > 2 else values.clone()]
