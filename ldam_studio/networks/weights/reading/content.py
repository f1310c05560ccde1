"""The tensors in what was read from a file, by the names under which they lie in it.

A module that was saved as a whole becomes its state dict, an object with attributes becomes a
dictionary of them, and everything that holds no tensor is left out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from ldam_studio.networks.weights.reading.building import MOST_TENSORS, build
from ldam_studio.networks.weights.reading.pickles import Inert, Unreadable

DEEPEST = 40  # levels of objects in one another
LONGEST = 1000  # letters of a name
MOST_FLAT = 3 * MOST_TENSORS
"""Names in all modules of a file together, where those inside a module count again."""
NOT_SAVED = "_non_persistent_buffers_set"

Tree = OrderedDict[str, Any]
"""Tensors and further trees by name."""


def tensors_in(value: Any) -> Tree:
    """Return the tensors in a dictionary, module or other object; empty if there are none.

    Raises
    ------
    Unreadable
        If there are more than a network has.
    """
    found = _Finder().find(value, 0)
    return found if isinstance(found, OrderedDict) else OrderedDict()


class _Finder:
    """Looks at each object once, however often and from wherever it is referred to."""

    def __init__(self) -> None:
        self._known: dict[int, Tensor | Tree | None] = {}
        self._tensors = 0

    def find(self, value: Any, depth: int) -> Tensor | Tree | None:
        if isinstance(value, Tensor) or not isinstance(value, dict | list | tuple | Inert):
            return value if isinstance(value, Tensor) else None
        if id(value) not in self._known:
            self._known[id(value)] = None  # while it is looked at, for objects that hold themselves
            if depth < DEEPEST:
                self._known[id(value)] = self._look(value, depth + 1)
        return self._known[id(value)]

    def _look(self, value: Any, depth: int) -> Tensor | Tree | None:
        if isinstance(value, Inert):
            built = build(value, value.state)
            if isinstance(built, Tensor):
                return built
            return self._flat(value, depth)
        if isinstance(value, dict):
            tree = self._tree(value.items(), depth)
            if tree is not None and isinstance(metadata := getattr(value, "_metadata", None), dict):
                tree._metadata = metadata  # type: ignore[attr-defined]
            return tree
        if value and all(_is_named(each) for each in value):
            return self._tree(value, depth)
        # Other tensors in a list have no names.
        return self._tree(
            ((at, e) for at, e in enumerate(value) if not isinstance(e, Tensor)), depth
        )

    def _tree(self, pairs: Any, depth: int) -> Tree | None:
        tree: Tree = OrderedDict()
        for name, value in pairs:
            if isinstance(name, bytes):  # written by Python 2
                name = name.decode("latin1")
            if isinstance(name, str | int):
                found = self.find(value, depth)
                if found is not None:
                    tree[str(name)] = found
        return tree or None

    def _flat(self, value: Inert, depth: int) -> Tree | None:
        """Return the state dict of a module, or the attributes of another object, likewise flat."""
        parts = _attributes(value)
        own, inner = parts.get("_parameters"), parts.get("_modules")
        if isinstance(own, dict) and isinstance(inner, dict):
            buffers, spare = parts.get("_buffers"), parts.get(NOT_SAVED)
            kept = dict(buffers) if isinstance(buffers, dict) else {}
            for name in spare if isinstance(spare, list) else ():
                if isinstance(name, str):
                    kept.pop(name, None)
            parts = own | kept | inner
        tree = self._tree(parts.items(), depth)
        if tree is None:
            return None
        flat: Tree = OrderedDict(entries(tree))
        self._tensors += len(flat)
        if self._tensors > MOST_FLAT:
            raise Unreadable("holds more tensors than a network has")
        return flat


def _is_named(value: Any) -> bool:
    """Return whether a value is a name with a tensor, as of ``module.named_parameters()``."""
    pair = isinstance(value, tuple) and len(value) == 2
    return pair and isinstance(value[0], str) and isinstance(value[1], Tensor)


def _attributes(value: Inert) -> dict[Any, Any]:
    """Return an object's attributes, entries and items by name or number."""
    found: dict[Any, Any] = {}
    states = value.state if isinstance(value.state, tuple) else (value.state,)
    for given in (value.args, states, value.items):
        for at, each in enumerate(given):
            if isinstance(each, dict) and given is states:
                found.update(each)
            elif not isinstance(each, Tensor):
                found[at] = each
    return found | value.entries


def walk(tree: Mapping[Any, Any], most: int = MOST_TENSORS) -> Iterator[tuple[str, str, Tensor]]:
    """Yield the tensors in a tree of dictionaries; first those at its top.

    Each comes with the dotted keys that lead to its dictionary, up to a dot, and its name there.

    Raises
    ------
    Unreadable
        If there are more than `most`, or their names are too long.
    """
    left = most

    def inside(
        place: str, part: Mapping[Any, Any], depth: int
    ) -> Iterator[tuple[str, str, Tensor]]:
        nonlocal left
        deeper = []
        for name, value in part.items():
            if isinstance(value, Tensor) and isinstance(name, str):
                left -= 1
                if left < 0 or len(place) + len(name) > LONGEST:
                    raise Unreadable("holds more tensors, or longer names, than a network has")
                yield place, name, value
            elif isinstance(value, Mapping) and depth:
                deeper.append((f"{place}{name}.", value))
        for where, value in deeper:
            left -= 1
            if len(where) > LONGEST:
                raise Unreadable("holds longer names than a network has")
            yield from inside(where, value, depth - 1)

    yield from inside("", tree, DEEPEST)


def entries(tree: Mapping[Any, Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in a tree with their whole dotted names; raises as `walk` does."""
    return ((f"{place}{name}", value) for place, name, value in walk(tree))
