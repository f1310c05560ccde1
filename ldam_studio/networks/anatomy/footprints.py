"""Footprints: the rectangle of pixels that each value of a forward pass depends on.

A tensor's `planes` hold four numbers for each of its elements, the rectangle (top, left, -bottom,
-right). In this form, the union of rectangles is the minimum of the numbers. An element that
depends on no pixel has (inf, inf, inf, inf). Planes have shape (4, *shape), with size 1 in
dimensions along which they are equal. They depend only on the architecture, not on the weights.

The rules for single operations are in `rules`; `walk` follows a forward pass with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

NOTHING = math.inf


@dataclass(frozen=True)
class Value:
    """A tensor of a forward pass: its shape, and the pixels on which its elements depend.

    Concatenated channels (dimension 1) form `runs` of equal planes. `runs` has their lengths, and
    `short` has one plane for each run. Without `runs`, `short` is equal to `planes`.
    """

    shape: tuple[int, ...]
    short: Tensor
    runs: tuple[int, ...] = ()

    @property
    def planes(self) -> Tensor:
        """The planes, (4, *shape), with size 1 in dimensions along which they are equal."""
        if not self.runs:
            return self.short
        return self.short.repeat_interleave(torch.tensor(self.runs), dim=2)

    @property
    def full(self) -> Tensor:
        """The planes with every dimension written out."""
        return self.planes.expand(4, *self.shape)


def constant(shape: Sequence[int]) -> Value:
    """Return a tensor that depends on no pixel."""
    return Value(tuple(shape), torch.full((4, *[1] * len(shape)), NOTHING))


def pixels(shape: Sequence[int]) -> Value:
    """Return an image (1, C, H, W), in which each pixel depends on itself."""
    height, width = shape[-2:]
    rows = torch.arange(height, dtype=torch.float32)[:, None].expand(height, width)
    columns = torch.arange(width, dtype=torch.float32).expand(height, width)
    planes = torch.stack([rows, columns, -(rows + 1), -(columns + 1)])
    return Value(tuple(shape), planes[:, None, None])


def union(values: Sequence[Value]) -> Tensor:
    """Unite the footprints element by element, broadcast as in arithmetic."""
    if len(values) == 1:
        return values[0].planes
    most = max(len(value.shape) for value in values)
    found = None
    for value in values:
        missing = [1] * (most - len(value.shape))
        planes = value.planes.reshape(4, *missing, *value.planes.shape[1:])
        found = planes if found is None else torch.minimum(found, planes)
    assert found is not None
    return found


def whole(values: Sequence[Value]) -> Tensor | None:
    """Return the footprint that all elements of `values` share; None if they differ.

    An unknown operation may move any element to any place. That does not matter if all elements
    have the same footprint.
    """
    seen = [value.short.reshape(4, -1) for value in values]
    seen = [planes for planes in seen if bool((planes < NOTHING).any())]
    if not seen:
        return torch.full((4, 1), NOTHING)
    alike = torch.cat(seen, dim=1)
    first = alike[:, :1]
    return first.clone() if bool((alike == first).all()) else None


def compact(planes: Tensor) -> Tensor:
    """Reduce dimensions that repeat one value without copies (stride 0) to size 1."""
    for dim in range(1, planes.ndim):
        if planes.stride(dim) == 0 and planes.shape[dim] > 1:
            planes = planes.narrow(dim, 0, 1)
    return planes
