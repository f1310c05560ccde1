"""The inputs of a neuron with the largest weights.

A unit of a fully connected layer or a 1 x 1 convolution is a weighted sum of units of an earlier
layer. The forward pass that lists the layers shows which units these are: flattening, dropout,
activation functions and means over all places map single units to single units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.anatomy.objectives import MEAN
from ldam_studio.networks.anatomy.origins import Origin
from ldam_studio.networks.anatomy.units import flat_index, resolved
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron

Positions = NDArray[np.int64]

COUNT = 20
MOST_FED = 3


@dataclass(frozen=True)
class Feed:
    """An input of a unit, with its weight; `feeds` are the units where its weight is largest."""

    neuron: Neuron
    weight: float
    feeds: tuple[Neuron, ...]


@dataclass(frozen=True)
class Feeding:
    """The inputs of a unit `sum` of a fully connected layer or 1 x 1 convolution.

    `feeds` are those with the largest weights, largest first; `inputs` is the number of all inputs.
    """

    sum: Neuron
    inputs: int
    feeds: tuple[Feed, ...]


def feeding(network: Network, neuron: Neuron, count: int = COUNT) -> Feeding:
    """Return the inputs with the largest weights of a neuron, or of the sum behind it.

    Raises
    ------
    StudioError
        If there is no such neuron, it is not computed from a weighted sum, or its inputs are not
        units of one layer.
    """
    network.check(neuron)
    unit = _sum_behind(network, neuron)
    module = network.module.get_submodule(network.layer(unit.layer).path)
    weights, first_row, first_input = _group(module, unit.index)
    own = weights[unit.index - first_row]
    largest = own.abs().topk(min(count, len(own))).indices
    fed = weights[:, largest].topk(min(MOST_FED, len(weights)), dim=0).indices.T.tolist()
    feeds = tuple(
        Feed(
            neuron=_entering(network, unit, module, first_input + position),
            weight=float(own[position]),
            feeds=tuple(_class_of(network, Neuron(unit.layer, first_row + row)) for row in rows),
        )
        for position, rows in zip(largest.tolist(), fed, strict=True)
    )
    return Feeding(_plain(network, unit), len(own), feeds)


def _sum_behind(network: Network, neuron: Neuron) -> Neuron:
    """Return the weighted sum of a unit: itself, or the unit before activation or mean."""
    place = resolved(network.layer(neuron.layer), neuron.place)
    if isinstance(place, str) and place != MEAN:
        raise StudioError(f"{neuron} is not a weighted sum of other units.")
    unit = replace(neuron, place=place, sign=1)
    while unit.layer not in network.listing.inputs or not _is_sum(network, unit.layer):
        before = _before(network, unit)
        if before is None:
            kind = network.layer(unit.layer).kind
            raise StudioError(
                f"{neuron} is not a weighted sum of other units: {unit.layer} ({kind}) is "
                "neither a fully connected layer nor a 1 x 1 convolution."
            )
        unit = before
    return unit


def _is_sum(network: Network, layer: str) -> bool:
    module = network.module.get_submodule(network.layer(layer).path)
    return isinstance(module, nn.Linear) or tuple(getattr(module, "kernel_size", ())) == (1, 1)


def _group(module: nn.Module, index: int) -> tuple[Tensor, int, int]:
    """Return the weights of the units with the same inputs, and the first such unit and input."""
    assert isinstance(module, nn.Linear | nn.Conv2d)
    weights = module.weight.detach().flatten(1)
    groups = module.groups if isinstance(module, nn.Conv2d) else 1
    size = len(weights) // groups
    number = index // size
    return weights[number * size :][:size], number * size, number * weights.shape[1]


def _entering(network: Network, unit: Neuron, module: nn.Module, position: int) -> Neuron:
    """Return the unit behind an input, in the earliest layer that contains it."""
    origin = network.listing.inputs[unit.layer]
    places = None if origin is None else _input_places(module, unit, position, origin.shape[1:])
    found = None if origin is None or places is None else _source(network, origin, places)
    if found is None:
        raise StudioError(
            f"The inputs of {unit.layer} are not the units of one layer, so they cannot be "
            "listed; choose another neuron."
        )
    while (before := _before(network, found)) is not None:
        found = before
    return _plain(network, found)


def _input_places(
    module: nn.Module, unit: Neuron, position: int, shape: tuple[int, ...]
) -> Positions | None:
    """Return the positions of an input in the flattened tensor of this shape that enters a layer.

    There are several if the unit is a mean over places. The result is None if one of them is
    padding.
    """
    if not isinstance(module, nn.Conv2d):
        grid = _places_of(shape, len(shape) - 1, position)
        return np.atleast_1d(grid[unit.place] if isinstance(unit.place, tuple) else grid).ravel()
    # "same" and "valid" mean no padding for a 1 x 1 convolution.
    rows, columns = (0, 0) if isinstance(module.padding, str) else module.padding
    grid = _places_of(shape, 0, position)
    if rows or columns:
        around = ((int(rows), int(rows)), (int(columns), int(columns)))
        grid = np.pad(grid, around, constant_values=-1)
    grid = grid[:: module.stride[0], :: module.stride[1]]
    found = np.atleast_1d(grid[unit.place] if isinstance(unit.place, tuple) else grid).ravel()
    return None if (found < 0).any() else found


def _places_of(shape: tuple[int, ...], axis: int, index: int) -> Positions:
    """Return the positions in a flattened tensor of the elements with this index along an axis."""
    behind = math.prod(shape[axis + 1 :])
    ahead = np.arange(math.prod(shape[:axis]))[:, None] * (shape[axis] * behind)
    positions = ahead + index * behind + np.arange(behind)
    return positions.reshape(shape[:axis] + shape[axis + 1 :])


def _before(network: Network, unit: Neuron) -> Neuron | None:
    """Return the unit before moving, dropout, activation or averaging; None if there is none."""
    origin = network.listing.origins[unit.layer]
    if origin is None:
        return None
    layer = network.layer(unit.layer)
    if isinstance(unit.place, str):
        return _source(network, origin, _places_of(layer.shape, layer.axis, unit.index).ravel())
    return _source(network, origin, np.array([flat_index(layer, unit.index, unit.place)]))


def _source(network: Network, origin: Origin, elements: Positions) -> Neuron | None:
    """Return the unit whose value, or whose places, these elements are; None if there is none."""
    layer = network.layer(origin.layer)
    at = elements if origin.index is None else origin.index.numpy().reshape(-1)[elements]
    if origin.mean:
        return Neuron(layer.name, int(at[0]), MEAN) if len(at) == 1 else None
    where = list(np.unravel_index(at, layer.shape))
    numbers = where.pop(layer.axis)
    if len(at) == 1:
        place = tuple(int(axis[0]) for axis in where)
        return Neuron(layer.name, int(numbers[0]), place or None)
    every = len(at) == math.prod(layer.places) and (np.diff(np.sort(at)) > 0).all()
    return Neuron(layer.name, int(numbers[0]), MEAN) if every and np.ptp(numbers) == 0 else None


def _plain(network: Network, unit: Neuron) -> Neuron:
    """Return a unit without its place if that is the layer's default."""
    usual = resolved(network.layer(unit.layer), None)
    return replace(unit, place=None) if unit.place == usual else unit


def _class_of(network: Network, unit: Neuron) -> Neuron:
    """Return the class that a unit becomes in the last layer, or the unit itself."""
    last = network.class_layer
    if unit.index >= last.neurons:
        return unit
    found = Neuron(last.name, unit.index, resolved(last, None))
    while found.layer != unit.layer:
        before = _before(network, found)
        if before is None:
            return unit
        found = before
    return Neuron(last.name, unit.index) if found.index == unit.index else unit
