"""The tensors in what a module returns, which may be a container of any kind."""

from __future__ import annotations

from collections import UserList, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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
    return [(entry.place, entry.tensor) for entry in entries_of(output)]


@dataclass(frozen=True)
class Entry:
    """A tensor in what a module returned.

    Attributes
    ----------
    place
        As of `parts_of`.
    named
        Whether a key or an attribute's name leads to it, and not only its number in a list.
    in_object
        Whether it is in the attributes of an object.
    """

    place: str
    tensor: Tensor
    named: bool = False
    in_object: bool = False


def entries_of(output: Any) -> list[Entry]:
    """Return what `parts_of` does, with what is known of each place."""
    if isinstance(output, Tensor):
        return [Entry("", output)] if _is_plain(output) else []
    found = list(_Search().inside(output, Entry("", torch.empty(0)), DEPTH))
    found.sort(key=lambda entry: entry.in_object)
    once: dict[int, Entry] = {}
    for entry in found:
        once.setdefault(id(entry.tensor), entry)
    return list(once.values())


class _Search:
    """Goes through nested containers, at most through `MOST` things, and through none twice."""

    def __init__(self) -> None:
        self._left = MOST
        self._open: set[int] = set()

    def inside(self, thing: Any, at: Entry, depth: int) -> Iterator[Entry]:
        """Yield the tensors in a thing; `at` is like those that are found, but for the tensor."""
        if isinstance(thing, Tensor):
            if _is_plain(thing):
                yield replace(at, tensor=thing)
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
            here = replace(
                at,
                place=f"{at.place}[{key}]",
                named=at.named or not _has_numbers(thing),
                in_object=at.in_object or is_object,
            )
            yield from self.inside(child, here, depth - 1)


def _items(thing: Any) -> Iterable[tuple[Any, Any]] | None:
    """Return the keys and values of a container; None if it is none."""
    if isinstance(thing, Mapping):
        return list(thing.items())
    if isinstance(thing, tuple) and hasattr(thing, "_fields"):
        return list(zip(thing._fields, thing, strict=False))
    if isinstance(thing, tuple | list | deque | UserList):
        return enumerate(thing)
    return None


def _has_numbers(thing: Any) -> bool:
    """Return whether the things in a container are told apart by their numbers alone."""
    return isinstance(thing, tuple | list | deque | UserList) and not hasattr(thing, "_fields")


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
