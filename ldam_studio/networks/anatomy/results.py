"""The tensors in what a module returns, which may be a container of any kind."""

from __future__ import annotations

from collections import UserList, deque
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

DEPTH = 6
"""How deep containers may be nested."""

MOST = 10_000
"""How many things in a container are looked at; an object may lead to a whole program."""


def first_tensor(output: Any) -> Tensor | None:
    """Return the tensor that a module returned, or the first in its container."""
    return next(iter(all_tensors(output)), None)


def all_tensors(output: Any) -> list[Tensor]:
    """Return the tensors that a module returned, see `parts_of`."""
    return [tensor for _, tensor in parts_of(output)]


def tensor_at(output: Any, part: str) -> Tensor | None:
    """Return the tensor at a place of `parts_of`, the first one for ""; None if there is none."""
    for place, tensor in parts_of(output):
        if part in ("", place):
            return tensor
    return None


def parts_of(output: Any) -> list[tuple[str, Tensor]]:
    """Return the tensors that a module returned, each with its place.

    The place in a container is written like ``[0]``, ``[logits]`` or ``[0][boxes]``; it is empty
    for a tensor alone. Tensors in dictionaries, lists and tuples, named or not, come before those
    in the attributes of objects (data classes, namespaces and others). Each tensor is named once.
    Sparse, nested and quantised tensors are left out.
    """
    if isinstance(output, Tensor):
        return [("", output)] if _is_plain(output) else []
    found = list(_Search().inside(output, "", DEPTH, in_object=False))
    found.sort(key=lambda part: part[0])
    once: dict[int, tuple[str, Tensor]] = {}
    for _, place, tensor in found:
        once.setdefault(id(tensor), (place, tensor))
    return list(once.values())


class _Search:
    """Goes through nested containers, at most through `MOST` things, and through none twice."""

    def __init__(self) -> None:
        self._left = MOST
        self._open: set[int] = set()

    def inside(
        self, thing: Any, place: str, depth: int, *, in_object: bool
    ) -> Iterator[tuple[bool, str, Tensor]]:
        """Yield whether a tensor is in an object, its place, and the tensor."""
        if isinstance(thing, Tensor):
            if _is_plain(thing):
                yield in_object, place, thing
            return
        children = _items(thing)
        is_object = children is None
        if is_object:
            children = _attributes(thing)
        assert children is not None
        if not depth or id(thing) in self._open:
            return
        self._open.add(id(thing))
        for key, child in children:
            self._left -= 1
            if self._left < 0:
                return
            yield from self.inside(
                child, f"{place}[{key}]", depth - 1, in_object=in_object or is_object
            )


def _items(thing: Any) -> Iterable[tuple[Any, Any]] | None:
    """Return the keys and values of a container; None if it is none."""
    if isinstance(thing, Mapping):
        return list(thing.items())
    if isinstance(thing, tuple) and hasattr(thing, "_fields"):
        return list(zip(thing._fields, thing, strict=False))
    if isinstance(thing, tuple | list | deque | UserList):
        return enumerate(thing)
    return None


def _attributes(thing: Any) -> Iterable[tuple[str, Any]]:
    """Return an object's own attributes; none of those of classes, functions and modules."""
    if isinstance(thing, type | ModuleType | FunctionType | MethodType | nn.Module):
        return ()
    found = dict(getattr(thing, "__dict__", {}))
    for kind in type(thing).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            if not name.startswith("__") and hasattr(thing, name):
                found.setdefault(name, getattr(thing, name))
    return found.items()


def _is_plain(tensor: Tensor) -> bool:
    return tensor.layout == torch.strided and not tensor.is_quantized and not tensor.is_nested
