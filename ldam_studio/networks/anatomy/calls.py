"""Calls of torch's operations, as `walk` meets them: names, tensors, and values that are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ldam_studio.networks.anatomy.footprints import Value
from ldam_studio.networks.anatomy.operations import READING, SIZED_BY_VALUES


def weights_of(module: nn.Module) -> Iterator[Tensor]:
    """Yield what a module computes with: parameters, buffers, and tensors among its attributes."""
    for part in module.modules():
        for value in vars(part).values():
            yield from tensors(list(value.values()) if isinstance(value, dict) else value, set())


def fitting(found: Tensor | Value, shape: tuple[int, ...]) -> Value:
    """Return a rule's result as a value; ValueError if its shape is not that of the operation's."""
    value = found if isinstance(found, Value) else Value(shape, found)
    if value.shape != shape:
        raise ValueError
    if not value.runs:
        value.short.expand(4, *shape)
    return value


def read_by(name: str, args: Any, given: list[Tensor]) -> list[Tensor]:
    """Return the tensors whose values Python, or the size of a result, gets to know."""
    if name in READING or name in SIZED_BY_VALUES or (name == "where" and len(args) == 1):
        return given
    if name != "__getitem__":
        return []
    return [index for index in tensors(args[1:]) if index.dtype in (torch.bool, torch.uint8)]


def called(func: Any) -> tuple[str, Callable[..., Any]]:
    """Return an operation's plain name and its function; `view` counts as `reshape`."""
    name = str(getattr(func, "__name__", func))
    if name == "__get__":
        name = str(getattr(func.__self__, "__name__", ""))
    if name in ("view", "view_as", "reshape_as", "_unsafe_view"):
        return "reshape", torch.Tensor.reshape
    if name == "expand_as":
        return "expand", torch.Tensor.expand
    if func is torch.nn.functional.unfold:
        return "im2col", func  # the method of tensors with this name is another operation
    if name.endswith("_") and not name.endswith("__"):
        name = name[:-1]
    return name, func


def tensors(thing: Any, seen: set[int] | None = None) -> Iterator[Tensor]:
    """Yield the tensors among arguments or results.

    With the `seen` lists and tuples, by their `id`, each is looked through once, because those of
    a person's own code may be part of themselves.
    """
    if isinstance(thing, Tensor):
        yield thing
    elif isinstance(thing, list | tuple):
        if seen is not None:
            if id(thing) in seen:
                return
            seen.add(id(thing))
        for part in thing:
            yield from tensors(part, seen)
    elif isinstance(thing, slice):
        yield from tensors((thing.start, thing.stop, thing.step))
