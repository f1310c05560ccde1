"""What a network keeps from one forward pass to the next, and going back to how it was opened."""

from __future__ import annotations

import copy
import random
import sys
import types
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

LARGEST = 2**20
"""Number of values above which a parameter counts as a weight that no forward pass changes; a copy
of each would take as much memory as the network."""

TOO_LARGE = 2**24
"""Number of values above which no tensor or array is copied, for example a data set."""

MOST_OBJECTS = 10_000

Key = tuple[str, str]
"""Where a value is, and its name there."""

_ABSENT = object()
_OF_TORCH = frozenset(vars(nn.Module())) - {"training"}
_GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)
_LIBRARIES = {*sys.stdlib_module_names, "builtins", "torch", "numpy"}
_NO_HOLDERS = (
    *(nn.Module, Tensor, np.ndarray, *_GENERATORS, type, types.ModuleType),
    *(types.FunctionType, types.MethodType, types.BuiltinFunctionType),
)


@dataclass(frozen=True)
class _Holder:
    """Named values: a module's parameters, its buffers, or the attributes of an object."""

    path: str
    table: dict[str, Any]
    kind: str

    def items(self) -> list[tuple[Key, Any]]:
        """Return keys and values, without what torch itself keeps in a module."""
        inner = _OF_TORCH if self.kind == "module" else ()
        return [((self.path, n), value) for n, value in self.table.items() if n not in inner]

    def is_weight(self, value: Any) -> bool:
        """Return whether a value is a parameter that is too large to keep."""
        return self.kind == "parameters" and value is not None and value.numel() > LARGEST


class Kept:
    """Buffers, small parameters and attributes of a module, and of plain objects in it.

    Parameters
    ----------
    keys
        Those to keep; None for all.
    """

    def __init__(self, module: nn.Module, keys: frozenset[Key] | None = None) -> None:
        self._module, self._keys = module, keys
        self._values: dict[Key, Any] = {}
        for holder in _holders(module):
            for key, value in holder.items():
                if (keys is None or key in keys) and not holder.is_weight(value):
                    self._values[key] = _copied(value)

    def only(self, keys: frozenset[Key]) -> Kept:
        """Return this without all that has other keys, which need not be compared again."""
        fewer = copy.copy(self)
        fewer._keys = keys
        fewer._values = {key: value for key, value in self._values.items() if key in keys}
        return fewer

    def _holders(self) -> Iterator[_Holder]:
        paths = None if self._keys is None else {path for path, _ in self._keys}
        for holder in _holders(self._module):
            if paths is None or holder.path in paths:
                yield holder

    def changed(self) -> frozenset[Key]:
        """Return the keys of what has been added, removed, or has another value than it had."""
        found, present = set(), set()
        for holder in self._holders():
            for key, value in holder.items():
                present.add(key)
                if not holder.is_weight(value) and (self._keys is None or key in self._keys):
                    before = self._values.get(key, _ABSENT)
                    if before is _ABSENT or not _equal(before, value):
                        found.add(key)
        return frozenset(found | (self._values.keys() - present))

    def restore(self, seed: int | None = None) -> None:
        """Give everything the value that it had, where it has another.

        No tensor is changed in place, because a backward pass may still need it. With a `seed`, the
        network's own generators of random numbers are seeded instead.
        """
        for holder in self._holders():
            present = dict(holder.items())
            for key in present:
                if key not in self._values and self._keys is not None and key in self._keys:
                    del holder.table[key[1]]
            for key, value in self._of(holder.path):
                if isinstance(value, _Generator):
                    value.put_back(seed)
                elif _equal(value, present.get(key, _ABSENT)):
                    continue
                new = _copied(value, present.get(key))
                if holder.kind == "parameters" and new is not None:
                    new = nn.Parameter(new, requires_grad=False)
                holder.table[key[1]] = new

    @property
    def generators(self) -> frozenset[Key]:
        """The keys of the network's own generators of random numbers."""
        found = [key for key, value in self._values.items() if isinstance(value, _Generator)]
        return frozenset(found)

    def seed_generators(self, seed: int) -> None:
        """Seed the network's own generators of random numbers."""
        for value in self._values.values():
            if isinstance(value, _Generator):
                value.put_back(seed)

    def _of(self, path: str) -> list[tuple[Key, Any]]:
        return [(key, value) for key, value in self._values.items() if key[0] == path]


class _Generator:
    """A generator that belongs to the network, and its state."""

    def __init__(self, generator: Any) -> None:
        self.generator = generator
        self.state = _state_of(generator)

    def put_back(self, seed: int | None) -> None:
        """Return the generator to its state, or seed it."""
        one = self.generator
        if isinstance(one, torch.Generator):
            one.set_state(self.state) if seed is None else one.manual_seed(seed)
        elif isinstance(one, np.random.Generator):
            bits = one.bit_generator
            bits.state = self.state if seed is None else type(bits)(seed).state
        elif isinstance(one, np.random.RandomState):
            one.set_state(self.state) if seed is None else one.seed(seed % 2**32)
        else:
            one.setstate(self.state) if seed is None else one.seed(seed)


def _state_of(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    if isinstance(generator, random.Random):
        return generator.getstate()
    return generator.get_state()


def _holders(module: nn.Module) -> Iterator[_Holder]:
    """Yield each module's values, and those of objects that are no modules but belong to one."""
    seen: set[int] = set()
    for path, part in module.named_modules():
        yield _Holder(f"{path} parameters", part._parameters, "parameters")
        yield _Holder(f"{path} buffers", part._buffers, "buffers")
        own = _Holder(path, vars(part), "module")
        yield own
        waiting = [(f"{path}.{name}", value) for (_, name), value in own.items()]
        while waiting and len(seen) < MOST_OBJECTS:
            where, value = waiting.pop()
            if id(value) in seen or isinstance(value, _NO_HOLDERS) or not _has_attributes(value):
                continue
            seen.add(id(value))
            yield _Holder(where, vars(value), "object")
            waiting += [(f"{where}.{name}", inner) for name, inner in vars(value).items()]


def _has_attributes(value: Any) -> bool:
    """Return whether a value is an object of the user's own code or a namespace.

    Objects of libraries, such as loggers, belong to the whole program.
    """
    kind = type(value)
    if kind.__module__.partition(".")[0] in _LIBRARIES and kind is not types.SimpleNamespace:
        return False
    return isinstance(getattr(value, "__dict__", None), dict)


def _copied(value: Any, old: Any = None, made: dict[int, Any] | None = None) -> Any:
    """Return a copy of tensors, arrays and containers of them; other objects are not copied.

    A container is copied into the `old` one if that can hold it, since others may have that, too.
    One that is part of itself is `made` once: these are the copies by the `id` of what they copy.
    """
    made = {} if made is None else made
    if id(value) in made:
        return made[id(value)]
    if isinstance(value, Tensor | np.ndarray) and _size(value) > TOO_LARGE:
        return value
    if isinstance(value, Tensor):
        own = value.detach().clone()
        return own.requires_grad_() if value.requires_grad and value.is_leaf else own
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, _GENERATORS):
        return _Generator(value)
    if isinstance(value, _Generator):
        return value.generator
    if type(value) is tuple:
        return tuple(_copied(part, made=made) for part in value)
    is_dict = isinstance(value, dict) and type(value).__module__ in ("builtins", "collections")
    if not is_dict and type(value) not in (list, set, deque):
        return value
    twin = made[id(value)] = old if _can_hold(old, value) else value.copy()
    twin.clear()
    if is_dict:
        for name, part in value.items():
            twin[name] = _copied(part, made=made)
    else:
        fill = twin.update if isinstance(twin, set) else twin.extend
        fill([_copied(part, made=made) for part in value])
    return twin


def _can_hold(old: Any, value: Any) -> bool:
    return type(old) is type(value) and getattr(old, "maxlen", 0) == getattr(value, "maxlen", 0)


def _size(value: Tensor | np.ndarray) -> int:
    return value.numel() if isinstance(value, Tensor) else value.size


def _equal(kept: Any, value: Any, compared: set[tuple[int, int]] | None = None) -> bool:
    """Return whether a value is the one of which `kept` is a copy.

    Containers that are `compared` already, by their `id`, are part of themselves.
    """
    if kept is value:
        return True
    if isinstance(kept, _Generator):
        return kept.generator is value and _equal(kept.state, _state_of(value))
    both = isinstance(kept, Tensor) and isinstance(value, Tensor)
    compared = set() if compared is None else compared
    try:
        return (both or type(kept) is type(value)) and _same(kept, value, compared)
    except Exception:
        # Objects of the user's own code may refuse to be compared.
        return False


def _same(one: Any, other: Any, compared: set[tuple[int, int]]) -> bool:
    if isinstance(one, Tensor):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        if torch.equal(one, other):
            return True
        equal = one == other
        return bool((equal | ((one != one) & (other != other))).all())
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))
    if not isinstance(one, Mapping | list | tuple | deque):
        return bool(one == other)
    if (id(one), id(other)) in compared:
        return True
    compared.add((id(one), id(other)))
    if isinstance(one, Mapping):
        if one.keys() != other.keys():
            return False
        pairs = [(one[key], other[key]) for key in one]
    else:
        if len(one) != len(other):
            return False
        pairs = list(zip(one, other, strict=True))
    return all(_equal(*pair, compared) for pair in pairs)
