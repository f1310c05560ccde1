"""Reading units off a layer's output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.neurons import MEAN, Neuron, Place


@dataclass(frozen=True)
class Units:
    """Units of one layer, one per chain; tensors have shape (chains,).

    `flat` counts into one image's output, flattened; -1 where the mean over places is meant.
    `column` (chains, 1) is the same with 0 for -1, as an index.
    """

    layer: Layer
    indices: Tensor
    flat: Tensor
    column: Tensor
    signs: Tensor
    any_mean: bool
    any_sign: bool

    def read(self, output: Tensor) -> Tensor:
        """Return unit i of image i: output (chains, *layer.shape) -> (chains,)."""
        values = output.flatten(1).gather(1, self.column).squeeze(1)
        if self.any_mean:
            means = self._means(output).gather(1, self.indices[:, None]).squeeze(1)
            values = torch.where(self.flat < 0, means, values)
        return values * self.signs if self.any_sign else values

    def read_all(self, output: Tensor) -> Tensor:
        """Return every unit at every image: output (n, *layer.shape) -> (n, chains)."""
        values = output.flatten(1)[:, self.column.squeeze(1)]
        if self.any_mean:
            values = torch.where(self.flat < 0, self._means(output)[:, self.indices], values)
        return values * self.signs

    def _means(self, output: Tensor) -> Tensor:
        moved = output.movedim(self.layer.axis + 1, 1)
        return moved.flatten(2).mean(2) if moved.ndim > 2 else moved


def units_of(layer: Layer, neurons: Sequence[Neuron], device: torch.device) -> Units:
    """Work out where the neurons (of this layer, and in it) stand in its output."""
    flat = torch.tensor([flat_index(layer, n.index, resolved(layer, n.place)) for n in neurons])
    signs = [float(n.sign) for n in neurons]
    return Units(
        layer=layer,
        indices=torch.tensor([n.index for n in neurons], device=device),
        flat=flat.to(device),
        column=flat.clamp_min(0)[:, None].to(device),
        signs=torch.tensor(signs, device=device),
        any_mean=bool((flat < 0).any()),
        any_sign=min(signs) < 0,
    )


def resolved(layer: Layer, place: Place) -> Place:
    """Return the place that is meant: the centre of a plane, the mean of tokens by default."""
    if place is not None or not layer.places:
        return place
    return tuple(n // 2 for n in layer.places) if len(layer.places) > 1 else MEAN


def flat_index(layer: Layer, index: int, place: Place) -> int:
    """Return where a unit stands in the layer's flattened output; -1 for a mean."""
    if place == MEAN and layer.places:
        return -1
    where = [] if place is None or isinstance(place, str) else list(place)
    where.insert(layer.axis, index)
    position = 0
    for size, at in zip(layer.shape, where, strict=True):
        position = position * size + at
    return position
