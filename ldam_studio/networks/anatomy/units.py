"""Computing the values of neurons from a layer's output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.class_values import ClassValue, at_place
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.anatomy.objectives import MEAN, Place, kind_of
from ldam_studio.networks.neurons import Neuron


@dataclass(frozen=True)
class Computed:
    """An objective that is computed from the whole output, at a place of addresses.

    `chosen` (chains,) marks the chains that have this objective.
    """

    place: tuple[int, ...] | str
    chosen: Tensor

    def of(self, output: Tensor) -> Tensor:
        """Return every neuron's value: (n, neurons, *places) -> (n, neurons)."""
        if isinstance(self.place, tuple):
            return at_place(output, self.place)
        values = kind_of(self.place).values
        assert values is not None
        return values(output, self.place)


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
    class_value
        The value of class neurons, if it is not their activation. All objectives are then computed.
    """

    layer: Layer
    indices: Tensor
    column: Tensor
    signs: Tensor
    computed: tuple[Computed, ...]
    any_sign: bool
    class_value: ClassValue | None = None

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
        """Return the value of neuron i at image i: output (chains, *layer.shape) -> (chains,).

        With a `class_value`, the output is that of its forward pass.
        """
        values = output.flatten(1).gather(1, self.column).squeeze(1)
        for each in self.computed:
            own = self._every(each, output).gather(1, self.indices[:, None]).squeeze(1)
            values = torch.where(each.chosen, own, values)
        return values * self.signs if self.any_sign else values

    def read_all(self, output: Tensor) -> Tensor:
        """Return the value of every neuron at every image: (n, *layer.shape) -> (n, chains)."""
        if self.class_value is None:
            values = output.flatten(1)[:, self.column.squeeze(1)]
        else:
            values = torch.zeros((), device=output.device)
        for each in self.computed:
            own = self._every(each, output)[:, self.indices]
            values = torch.where(each.chosen, own, values)
        return values * self.signs

    def _every(self, each: Computed, output: Tensor) -> Tensor:
        values = each.of(output.movedim(self.layer.axis + 1, 1))
        return values if self.class_value is None else self.class_value.of(values)


def units_of(
    layer: Layer,
    neurons: Sequence[Neuron],
    device: torch.device,
    class_value: ClassValue | None = None,
) -> Units:
    """Return the units for neurons of this layer; they are class neurons with a `class_value`."""
    places = [resolved(layer, neuron.place) for neuron in neurons]
    if class_value is not None:
        places = [() if place is None else place for place in places]
    positions = [
        0 if isinstance(place, str) else flat_index(layer, neuron.index, place)
        for neuron, place in zip(neurons, places, strict=True)
    ]
    distinct = dict.fromkeys(
        place for place in places if isinstance(place, str) or class_value is not None
    )
    signs = [float(neuron.sign) for neuron in neurons]
    return Units(
        layer=layer,
        indices=torch.tensor([neuron.index for neuron in neurons], device=device),
        column=torch.tensor(positions)[:, None].to(device),
        signs=torch.tensor(signs, device=device),
        computed=tuple(
            Computed(each, torch.tensor([place == each for place in places], device=device))
            for each in distinct
            if each is not None
        ),
        any_sign=min(signs) < 0,
        class_value=class_value,
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
