"""How operations carry footprints: one rule for each, in the table `RULES`.

A rule is called like its operation, with a `Value` instead of each tensor, and returns the planes
or values of the result. Where there is no rule, all elements of the result depend on all elements
of the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ldam_studio.networks.anatomy import mixing, resampling, sliding
from ldam_studio.networks.anatomy.footprints import (
    NOTHING,
    Value,
    compact,
    constant,
    elementwise,
    everything,
    joined,
    union,
)
from ldam_studio.networks.anatomy.operations import (
    ACTIVATIONS,
    ARITHMETIC,
    COMPARISONS,
    SAME,
    names,
)


def same(x: Value, *_: Any, **__: Any) -> Value:
    """Follow an operation that keeps the elements; others only say of which type they are."""
    return x


def overwritten(x: Value, *values: Any, **_: Any) -> Tensor:
    """Follow `copy_`, `fill_` and `zero_`: of what was there, only the shape remains."""
    return union([constant(x.shape), *(v for v in values if isinstance(v, Value))])


def finite(x: Value, *_: Any, **__: Any) -> Tensor:
    """Follow the question whether numbers are finite, to which chains give one answer only."""
    return constant(x.shape).planes


def glu(x: Value, dim: int = -1) -> Tensor:
    """Follow a gated linear unit, which multiplies one half of the elements by the other."""
    first, second = x.full.chunk(2, dim=1 + dim % len(x.shape))
    return torch.minimum(first, second)


def moving(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Return the rule of an operation that only moves elements: it moves the planes likewise."""

    def rule(x: Value, *args: Any, **kwargs: Any) -> Any:
        moved = [operation(plane, *args, **kwargs) for plane in x.full]
        if isinstance(moved[0], Tensor):
            return _stack(moved)
        return [_stack(parts) for parts in zip(*moved, strict=True)]

    return rule


def _stack(planes: Sequence[Tensor]) -> Tensor:
    parts = [compact(plane[None]) for plane in planes]
    return torch.cat(parts)


def joining(operation: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the rule of `cat` or `stack`."""

    def rule(values: Sequence[Value], *args: Any, **kwargs: Any) -> Tensor:
        return _stack([operation([v.full[k] for v in values], *args, **kwargs) for k in range(4)])

    return rule


def concatenated(values: Sequence[Value], dim: int = 0) -> Tensor | Value:
    """Follow `cat`, keeping size 1 in dimensions along which all parts are equal."""
    dims = len(values[0].shape)
    at = dim % dims
    if at == 1 and dims == 4 and all(v.runs or v.short.shape[2] == 1 for v in values):
        sizes = [max(v.short.shape[1 + d] for v in values) for d in range(dims)]
        short = [v.short.expand(4, sizes[0], -1, *sizes[2:]) for v in values]
        channels = sum(v.shape[1] for v in values)
        runs = tuple(run for v in values for run in v.runs or (v.shape[1],))
        shape = (values[0].shape[0], channels, *values[0].shape[2:])
        return Value(shape, torch.cat(short, dim=2), runs)
    sizes = [max(v.planes.shape[1 + d] for v in values) for d in range(dims)]
    parts = []
    for value in values:
        parts.append(value.planes.expand(4, *sizes[:at], value.shape[at], *sizes[at + 1 :]))
    return torch.cat(parts, dim=1 + at)


def padded(x: Value, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Tensor:
    """Follow padding with constants or with copied values."""
    filling = NOTHING if mode == "constant" else None
    return _stack([functional.pad(p, list(pad), mode=mode, value=filling) for p in x.full])


def _with_weights(rule: Callable[..., Any], tensors: int = 1) -> Callable[..., Any]:
    """Let a rule for the first tensors count all others among its arguments, which may be computed.

    These are weights, masks and statistics, of which any element may affect any element of the
    result.
    """

    def followed(*args: Any, **kwargs: Any) -> Any:
        found = rule(*args, **kwargs)
        others = [v for v in (*args[tensors:], *kwargs.values()) if isinstance(v, Value)]
        seen = everything(others)
        if bool((seen == NOTHING).all()):
            return found
        parts = found if isinstance(found, list) else [found]
        united = [joined(part, seen) for part in parts]
        return united if isinstance(found, list) else united[0]

    return followed


_OF_ONE: dict[str, Callable[..., Any]] = {
    **sliding.RULES,
    **resampling.RULES,
    **mixing.OF_ONE,
    "glu": glu,
    **dict.fromkeys(names("pad constant_pad_nd"), padded),
}

RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys((*ACTIVATIONS, *ARITHMETIC, *COMPARISONS), elementwise),
    **dict.fromkeys(SAME, same),
    **dict.fromkeys(names("copy fill zero"), overwritten),
    **dict.fromkeys(names("isnan isinf isfinite"), finite),
    **{name: _with_weights(rule) for name, rule in _OF_ONE.items()},
    **{name: _with_weights(rule, 3) for name, rule in mixing.OF_THREE.items()},
    **mixing.OF_ALL,
    "cat": concatenated,
    "concat": concatenated,
    "concatenate": concatenated,
    "hstack": lambda values: concatenated(values, 1 if len(values[0].shape) > 1 else 0),
    "vstack": concatenated,
    "stack": joining(torch.stack),
}
