"""Tensors that share memory: what a change of one of them means for the footprints of others."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.footprints import NOTHING, Value


def version(tensor: Tensor) -> int:
    """Return how often a tensor, or one that shares its memory, has been changed in place."""
    return 0 if tensor.is_inference() else tensor._version


def part_of(base: Tensor, seen: Value, view: Tensor) -> Value:
    """Return the footprint of a view of `base`, whose footprint is `seen`."""
    planes = _memory(base, seen)[:, _positions(view, base)]
    return Value(tuple(view.shape), planes)


def written_into(base: Tensor, seen: Value, view: Tensor, new: Value) -> Value:
    """Return the footprint of `base` after its part `view` got the footprint `new`."""
    memory = _memory(base, seen)
    memory[:, _positions(view, base).flatten()] = new.full.reshape(4, -1)
    return Value(seen.shape, memory[:, _positions(base, base)])


def _memory(base: Tensor, seen: Value) -> Tensor:
    """Lay out planes as the elements of `base` are laid out in memory, (4, n)."""
    positions = _positions(base, base).flatten()
    planes = torch.full((4, 1 + int(positions.max())), NOTHING)
    planes[:, positions] = seen.full.reshape(4, -1)
    return planes


def _positions(tensor: Tensor, base: Tensor) -> Tensor:
    """Return where each element is in memory, counted from the first of `base`."""
    positions = torch.tensor(tensor.storage_offset() - base.storage_offset())
    for dim, (size, stride) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
        behind = [1] * (tensor.ndim - dim - 1)
        positions = positions + torch.arange(size).reshape(-1, *behind) * stride
    return positions.reshape(tensor.shape) if math.prod(tensor.shape) else positions
