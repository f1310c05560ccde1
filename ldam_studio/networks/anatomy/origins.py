"""Origins: the unit of an earlier layer from which each value of a forward pass is computed.

Only simple operations are followed: moving, dropout, activation functions, and means over all
places. After any other operation, the values have no origin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.operations import ACTIVATIONS, MOVING, SAME


@dataclass(frozen=True)
class Origin:
    """The elements of a tensor, given as elements of a layer's output.

    `index` has the tensor's shape and holds positions in the layer's flattened output. If `mean` is
    true, each element is a mean over all places, and `index` holds numbers of neurons. An `index`
    of None means that the tensor is the layer's output, element by element.
    """

    layer: str
    shape: tuple[int, ...]
    index: Tensor | None = None
    mean: bool = False

    def indices(self) -> Tensor:
        """Return `index`, or the positions that it stands for if it is None."""
        if self.index is not None:
            return self.index
        return torch.arange(math.prod(self.shape), dtype=torch.int32).reshape(self.shape)


def moved(operation: Callable[..., Any], origin: Origin, *args: Any, **kwargs: Any) -> Any:
    """Move the indices in the way an operation moves the elements."""
    found = operation(origin.indices(), *args, **kwargs)
    if isinstance(found, Tensor):
        return replace(origin, index=found, shape=tuple(found.shape))
    return [replace(origin, index=part, shape=tuple(part.shape)) for part in found]


def averaged(origin: Origin, dims: Sequence[int], keepdim: bool) -> Origin | None:
    """Follow a mean over `dims` of a layer's output, if `dims` are all of its places."""
    shape = origin.shape
    places = sorted(d % len(shape) for d in dims)
    left = [d for d in range(1, len(shape)) if d not in places]
    if origin.index is not None or origin.mean or 0 in places or len(left) != 1 or not places:
        return None
    kept = [n if d in left else 1 for d, n in enumerate(shape)]
    index = torch.arange(shape[left[0]], dtype=torch.int32).reshape(kept)
    if not keepdim:
        index = index.reshape(1, -1)
    return replace(origin, index=index, mean=True, shape=tuple(index.shape))


def pooled(origin: Origin, before: Sequence[int], after: Sequence[int]) -> Origin | None:
    """Follow adaptive average pooling: to the same size, or over all places."""
    if tuple(before) == tuple(after):
        return origin
    return averaged(origin, (2, 3), True) if tuple(after[2:]) == (1, 1) else None


def follow(
    name: str, operation: Callable[..., Any], origin: Origin, args: Any, kwargs: Any, out: Any
) -> Any:
    """Return the origin of an operation's result `out`; None if the operation is not followed.

    `args` are the arguments after the tensor whose origin is given.
    """
    if name in MOVING:
        return moved(operation, origin, *args, **kwargs)
    if name in (*SAME, *ACTIVATIONS, "softmax", "log_softmax"):
        return origin
    if name == "adaptive_avg_pool2d":
        return pooled(origin, origin.shape, out.shape)
    if name == "mean":
        dim = args[0] if args else kwargs.get("dim")
        keepdim = bool(args[1] if len(args) > 1 else kwargs.get("keepdim", False))
        dims = [dim] if isinstance(dim, int) else dim
        return None if dims is None else averaged(origin, list(dims), keepdim)
    return None
