"""The mean of every unit over all places, at several layers, in one forward pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.network import Network
from ldam_studio.progress import tell


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
        A tensor (n, neurons) for each layer, by its name.
    """
    together = [layer.name for layer in layers if _is_plain(layer)]
    found: dict[str, Tensor] = {}
    with torch.no_grad():
        if together:
            last = network.layers[-1].name
            _, rows = network.output_and_moments(x, last, together, moments=_mean)
            found |= dict(zip(together, rows, strict=True))
        for layer in layers:
            if layer.name not in found:
                tell(f"looking at {layer.name}")
                output = network.output(x, layer.name)
                found[layer.name] = _mean(output.movedim(layer.axis + 1, 1))
    return {layer.name: found[layer.name].float().cpu() for layer in layers}


def _is_plain(layer: Layer) -> bool:
    """Return whether a layer's output is what its module returns, in its only call."""
    ordinary = layer.path == layer.name and layer.call == 1 and not layer.part
    return ordinary and not (layer.axis or layer.batch or layer.squeezed or layer.alone)


def _mean(output: Tensor) -> Tensor:
    # Copied, since a later rectifier may work in place.
    return output.flatten(2).mean(2) if output.ndim > 2 else output.clone()
