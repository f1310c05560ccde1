"""Computing the values of neurons from a layer's output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.anatomy.objectives import MEAN, ObjectiveKind, Place, kind_of
from ldam_studio.networks.neurons import Neuron


@dataclass(frozen=True)
class Computed:
    """An objective that is computed from the whole output: its row, and its text in addresses.

    `chosen` (chains,) marks the chains that have this objective.
    """

    kind: ObjectiveKind
    text: str
    chosen: Tensor


@dataclass(frozen=True)
class Units:
    """The neurons of one layer whose values chains follow, one per chain.

    Attributes
    ----------
    layer
        The layer.
    indices
        The neurons' numbers, (chains,).
    column
        Positions of their units in one image's flattened output, (chains, 1); 0 for the chains
        whose objective is `computed`.
    signs
        1 or -1, by which the values are multiplied, (chains,).
    computed
        Objectives other than a single unit of the output.
    any_sign
        Whether any sign is -1.
    """

    layer: Layer
    indices: Tensor
    column: Tensor
    signs: Tensor
    computed: tuple[Computed, ...]
    any_sign: bool

    def first(self, count: int) -> Units:
        """Return the neurons of the first `count` chains."""
        return replace(
            self,
            indices=self.indices[:count],
            column=self.column[:count],
            signs=self.signs[:count],
            computed=tuple(replace(each, chosen=each.chosen[:count]) for each in self.computed),
        )

    def read(self, output: Tensor) -> Tensor:
        """Return the value of neuron i at image i: output (chains, *layer.shape) -> (chains,)."""
        values = output.flatten(1).gather(1, self.column).squeeze(1)
        for each in self.computed:
            own = self._every(each, output).gather(1, self.indices[:, None]).squeeze(1)
            values = torch.where(each.chosen, own, values)
        return values * self.signs if self.any_sign else values

    def read_all(self, output: Tensor) -> Tensor:
        """Return the value of every neuron at every image: (n, *layer.shape) -> (n, chains)."""
        values = output.flatten(1)[:, self.column.squeeze(1)]
        for each in self.computed:
            own = self._every(each, output)[:, self.indices]
            values = torch.where(each.chosen, own, values)
        return values * self.signs

    def _every(self, each: Computed, output: Tensor) -> Tensor:
        assert each.kind.values is not None
        return each.kind.values(output.movedim(self.layer.axis + 1, 1), each.text)


def units_of(layer: Layer, neurons: Sequence[Neuron], device: torch.device) -> Units:
    """Return the units for neurons of this layer."""
    places = [resolved(layer, neuron.place) for neuron in neurons]
    positions = [
        0 if isinstance(place, str) else flat_index(layer, neuron.index, place)
        for neuron, place in zip(neurons, places, strict=True)
    ]
    texts = dict.fromkeys(place for place in places if isinstance(place, str))
    signs = [float(neuron.sign) for neuron in neurons]
    return Units(
        layer=layer,
        indices=torch.tensor([neuron.index for neuron in neurons], device=device),
        column=torch.tensor(positions)[:, None].to(device),
        signs=torch.tensor(signs, device=device),
        computed=tuple(
            Computed(
                kind_of(text),
                text,
                torch.tensor([place == text for place in places], device=device),
            )
            for text in texts
        ),
        any_sign=min(signs) < 0,
    )


def resolved(layer: Layer, place: Place) -> Place:
    """Return a place, or the layer's default if it is None: the centre, or the mean over tokens."""
    if place is not None or not layer.places:
        return place
    return tuple(n // 2 for n in layer.places) if len(layer.places) > 1 else MEAN


def flat_index(layer: Layer, index: int, place: tuple[int, ...] | None) -> int:
    """Return the position of one unit in the layer's flattened output for one image."""
    where = list(place or ())
    where.insert(layer.axis, index)
    position = 0
    for size, at in zip(layer.shape, where, strict=True):
        position = position * size + at
    return position
