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
from typing import Any

import torch
from torch import Tensor

NOTHING = math.inf


class NoRuleError(Exception):
    """A rule does not support these arguments of its operation."""


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


def everything(values: Sequence[Value]) -> Tensor:
    """Return the one rectangle that holds all pixels on which any element depends, (4,)."""
    # A tensor may be empty, for example the boxes of a detector that finds nothing.
    seen = [value.short.reshape(4, -1).amin(dim=1) for value in values if value.short.numel()]
    return torch.stack(seen).amin(dim=0) if seen else torch.full((4,), NOTHING)


def joined(found: Tensor | Value, seen: Tensor) -> Tensor | Value:
    """Let all elements also depend on one rectangle, (4,)."""
    planes = found if isinstance(found, Tensor) else found.short
    planes = torch.minimum(planes, seen.reshape(4, *[1] * (planes.ndim - 1)))
    return planes if isinstance(found, Tensor) else Value(found.shape, planes, found.runs)


def elementwise(*args: Any, **kwargs: Any) -> Tensor | Value:
    """Follow arithmetic and activation functions, which act element by element."""
    values = [v for v in (*args, *kwargs.values()) if isinstance(v, Value)]
    first, *rest = values
    small = all(len(v.shape) <= len(first.shape) and v.short.numel() == 4 for v in rest)
    if first.runs and small and all(bool((v.short == NOTHING).all()) for v in rest):
        return first
    return union(values)


def compact(planes: Tensor) -> Tensor:
    """Reduce dimensions that repeat one value without copies (stride 0) to size 1."""
    for dim in range(1, planes.ndim):
        if planes.stride(dim) == 0 and planes.shape[dim] > 1:
            planes = planes.narrow(dim, 0, 1)
    return planes
