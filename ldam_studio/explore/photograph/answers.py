"""Which units answer to a photograph: ranked by how unusual their activation is for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.explore.photograph.means import means_of
from ldam_studio.explore.photograph.reference import Usual
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron

MOST_LAYERS = 60
"""Layers that are looked at: of more, evenly spaced ones and that of the classes."""
RANKED = 50
"""Units of a layer that are listed."""


@dataclass(frozen=True)
class Answer:
    """How one unit answers.

    Attributes
    ----------
    neuron, label
        The unit, and its name.
    value
        Its mean over all places, or its value where there are none.
    z
        By how many of its standard deviations that is above what is usual for it.
    below
        The share of reference images in which it answers less; None if it is unknown.
    """

    neuron: Neuron
    label: str
    value: float
    z: float
    below: float | None


@dataclass(frozen=True)
class LayerAnswers:
    """The units of a layer, the most unusual first, and what they are compared with."""

    layer: str
    units: tuple[Answer, ...]
    compared_with: str
    is_real: bool

    @property
    def most(self) -> float:
        """The largest number of standard deviations among its units."""
        return self.units[0].z if self.units else 0.0


def layers_for(network: Network) -> tuple[Layer, ...]:
    """Return the layers that are looked at, in the order of the forward pass."""
    every, last = network.layers, network.class_layer
    if len(every) <= MOST_LAYERS:
        return every
    step = len(every) / (MOST_LAYERS - 1)
    chosen = {every[int(number * step)].name for number in range(MOST_LAYERS - 1)} | {last.name}
    return tuple(layer for layer in every if layer.name in chosen)


def answers_of(
    network: Network, picture: Tensor, layers: Sequence[Layer], usual: Mapping[str, Usual]
) -> tuple[LayerAnswers, ...]:
    """Return the units that answer to a picture, of each layer of which it is known what is usual.

    Parameters
    ----------
    picture
        Shape (C, H, W), in pixel units.
    usual
        What is usual for the units of each layer, by its name.
    """
    layers = [layer for layer in layers if layer.name in usual]
    values = means_of(network, picture[None].to(network.device), layers)
    found = []
    for layer in layers:
        here, known = values[layer.name][0], usual[layer.name]
        z, below = known.z(here), known.share_below(here)
        # Of units that are equally unusual, the one with the larger value comes first.
        order = sorted(range(len(z)), key=lambda n: (-z[n].item(), -here[n].item()))[:RANKED]
        units = tuple(
            Answer(
                neuron := Neuron(layer.name, number),
                network.label(neuron),
                here[number].item(),
                z[number].item(),
                None if below is None else below[number].item(),
            )
            for number in order
            if bool(torch.isfinite(z[number]))
        )
        found.append(LayerAnswers(layer.name, units, known.words, known.is_real))
    return tuple(found)
