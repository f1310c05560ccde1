"""Following one forward pass: which pixels each value depends on, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from ldam_studio.networks.anatomy import footprints, origins
from ldam_studio.networks.anatomy.footprints import Value
from ldam_studio.networks.anatomy.operations import MOVING
from ldam_studio.networks.anatomy.origins import Origin
from ldam_studio.networks.anatomy.rules import RULES, NoRuleError, moving

EMPTY = (
    "zeros_like ones_like full_like empty_like rand_like randn_like new_zeros new_ones new_full "
    "new_empty new_tensor"
).split()
"""Operations that use only the shape of a tensor."""


@dataclass(frozen=True)
class Known:
    """What is known about a tensor. `seen` is its footprint; None if it is unknown."""

    seen: Value | None
    origin: Origin | None = None
    constant: bool = False


UNKNOWN = Known(None)


class Walk(TorchFunctionMode):
    """Follows the operations of a forward pass of one image, and records the tensors' footprints.

    It sees only operations that are called from Python. The results of other code, for example of a
    compiled module, and of operations without a rule are unknown, and so is everything that depends
    on them.

    Parameters
    ----------
    constants
        The module's parameters and buffers.
    """

    def __init__(self, constants: Iterable[Tensor]) -> None:
        super().__init__()
        self._known: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._constants = {id(tensor) for tensor in constants}
        self._blurred = False

    def begin(self, image: Tensor) -> None:
        """Start with an image (1, C, H, W), on which everything depends."""
        self._known[image] = Known(footprints.pixels(tuple(image.shape)))

    def root(self, layer: str, output: Tensor) -> Known:
        """Return what is known about a layer's output, and make it the origin of later values."""
        known = self.of(output)
        own = Origin(layer, tuple(output.shape))
        self._known[output] = Known(known.seen, own)
        return known

    def of(self, tensor: Tensor) -> Known:
        """Return what is known about a tensor."""
        found: Known | None = self._known.get(tensor)
        if found is not None and not (self._blurred and not found.constant):
            return found
        if id(tensor) in self._constants:
            return Known(footprints.constant(tensor.shape), constant=True)
        return UNKNOWN

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, then follow it."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name, function = _called(func)
        if name == "__setitem__":
            self._assign(*args)
        results = list(_tensors(out))
        if results:
            self._follow(name, function, args, kwargs, out, results)
        return out

    def _follow(
        self, name: str, func: Any, args: Any, kwargs: Any, out: Any, results: list[Tensor]
    ) -> None:
        given = list(_tensors((args, list(kwargs.values()))))
        known = [self.of(tensor) for tensor in given]
        if name in EMPTY or all(k.constant for k in known):
            for result in results:
                self._known[result] = Known(footprints.constant(result.shape), constant=True)
            return
        seen = self._seen(name, func, args, kwargs, results, known)
        sources = self._origins(name, func, args, kwargs, out, len(results), given, known)
        if results[0] is given[0] and given[0]._is_view() and not _same(seen[0], known[0].seen):
            # The base tensor of this view has changed as well, but it cannot be found from here.
            self._blurred = True
        for result, value, origin in zip(results, seen, sources, strict=True):
            self._known[result] = Known(value, origin)

    def _seen(
        self,
        name: str,
        func: Any,
        args: Any,
        kwargs: Any,
        results: list[Tensor],
        known: list[Known],
    ) -> list[Value | None]:
        values = [k.seen for k in known if k.seen is not None]
        if len(values) < len(known):
            return [None] * len(results)
        shapes = [tuple(result.shape) for result in results]
        try:
            found = self._by_rule(name, func, args, kwargs)
            parts = found if isinstance(found, list) else [found]
            return [_fitting(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        except Exception:
            # There is no rule for this call. If all elements have the same footprint, the result
            # has it.
            alike = footprints.whole(values)
            if alike is None:
                return [None] * len(results)
            return [Value(shape, alike.reshape(4, *[1] * len(shape))) for shape in shapes]

    def _by_rule(self, name: str, func: Any, args: Any, kwargs: Any) -> Any:
        if name in MOVING:
            if any(not self.of(t).constant for t in _tensors((args[1:], list(kwargs.values())))):
                raise NoRuleError
            return moving(func)(self._value(args[0]), *args[1:], **kwargs)
        values = [self._values(a) for a in args]
        return RULES[name](*values, **{key: self._values(a) for key, a in kwargs.items()})

    def _values(self, argument: Any) -> Any:
        if isinstance(argument, Tensor):
            return self._value(argument)
        if isinstance(argument, list | tuple) and any(isinstance(a, Tensor) for a in argument):
            return [self._values(a) for a in argument]
        return argument

    def _value(self, tensor: Tensor) -> Value:
        seen = self.of(tensor).seen
        assert seen is not None
        return seen

    def _origins(
        self,
        name: str,
        func: Any,
        args: Any,
        kwargs: Any,
        out: Any,
        count: int,
        given: list[Tensor],
        known: list[Known],
    ) -> list[Origin | None]:
        first = known[0].origin
        if first is None or any(not k.constant for k in known[1:]):
            return [None] * count
        if not args or args[0] is not given[0]:
            return [None] * count
        try:
            found = origins.follow(name, func, first, args[1:], kwargs, out)
        except Exception:
            # The operation does not work on indices.
            return [None] * count
        listed = found if isinstance(found, list) else [found]
        return listed if len(listed) == count else [None] * count

    def _assign(self, target: Tensor, index: Any, value: Any) -> None:
        """Follow ``target[index] = value``."""
        known = self.of(target)
        other = self.of(value) if isinstance(value, Tensor) else None
        if known.constant and (other is None or other.constant):
            return
        self._known[target] = UNKNOWN
        if known.seen is None or target._is_view() or (other and other.seen is None):
            self._blurred = True
            return
        planes = known.seen.full.clone()
        for k in range(4):
            planes[k][index] = other.seen.planes[k] if other and other.seen else footprints.NOTHING
        self._known[target] = Known(Value(tuple(target.shape), planes))


def _fitting(found: Tensor | Value, shape: tuple[int, ...]) -> Value:
    """Return a rule's result as a value; ValueError if its shape is not that of the operation's."""
    value = found if isinstance(found, Value) else Value(shape, found)
    if value.shape != shape:
        raise ValueError
    if not value.runs:
        value.short.expand(4, *shape)
    return value


def _same(one: Value | None, other: Value | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.shape == other.shape and torch.equal(one.planes, other.planes)


def _called(func: Any) -> tuple[str, Callable[..., Any]]:
    """Return an operation's plain name and its function; `view` counts as `reshape`."""
    name = str(getattr(func, "__name__", func))
    if name == "__get__":
        name = str(getattr(func.__self__, "__name__", ""))
    if name in ("view", "view_as", "_unsafe_view"):
        return "reshape", torch.Tensor.reshape
    if name.endswith("_") and not name.endswith("__"):
        name = name[:-1]
    return name, func


def _tensors(thing: Any) -> Iterator[Tensor]:
    if isinstance(thing, Tensor):
        yield thing
    elif isinstance(thing, list | tuple):
        for part in thing:
            yield from _tensors(part)
