"""Following one forward pass: which pixels each value depends on, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from ldam_studio.networks.anatomy import aliases, footprints, origins
from ldam_studio.networks.anatomy.calls import called, fitting, read_by, tensors
from ldam_studio.networks.anatomy.footprints import NoRuleError, Value
from ldam_studio.networks.anatomy.operations import MOVING
from ldam_studio.networks.anatomy.origins import Origin
from ldam_studio.networks.anatomy.rules import RULES, moving

EMPTY = (
    "zeros_like ones_like full_like empty_like rand_like randn_like new_zeros new_ones new_full "
    "new_empty new_tensor"
).split()
"""Operations that use only the shape of a tensor."""

NOT_FOLLOWED = ("_base", "grad")
"""Attributes of tensors that nothing computes."""


@dataclass(frozen=True)
class Known:
    """What is known about a tensor. `seen` is its footprint; None if it is unknown.

    `version` is how often the tensor had been changed in place then.
    """

    seen: Value | None
    origin: Origin | None = None
    constant: bool = False
    version: int = 0


UNKNOWN = Known(None)
NUMBER = Known(footprints.constant(()), constant=True)
"""What is known about a number that is no tensor."""


class Walk(TorchFunctionMode):
    """Follows the operations of a forward pass of one image, and records the tensors' footprints.

    It sees only operations that are called from Python. The results of other code, for example of a
    scripted module, are unknown, and so is everything that depends on them. What an operation
    without a rule returns depends on all of its arguments. Once Python has read a value, for
    example for an `if`, everything that is computed afterwards depends on it.

    Parameters
    ----------
    constants
        The module's weights, see `calls.weights_of`.
    """

    def __init__(self, constants: Iterable[Tensor]) -> None:
        super().__init__()
        self._known: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._constants = {id(tensor) for tensor in constants}
        self._everything = torch.zeros(4)
        self._read: Tensor | None = None  # what values that were read depend on, (4,)
        self._given: dict[int, Known] = {}  # arguments of the operation at hand, before it ran
        self._convolved = False

    def begin(self, image: Tensor) -> None:
        """Start with an image (1, C, H, W), on which everything depends."""
        seen = footprints.pixels(tuple(image.shape))
        self._everything = footprints.everything([seen])
        self._note(image, Known(seen))

    def has_convolved(self) -> bool:
        """Return whether there was a convolution since the last call of this method."""
        found, self._convolved = self._convolved, False
        return found

    def root(self, layer: str, output: Tensor) -> Known:
        """Return what is known about a layer's output, and make it the origin of later values."""
        known = self.of(output)
        # It may have been computed before a value was read, and chosen by that value.
        seen = self._after_reading(known.seen)
        self._note(output, Known(seen, Origin(layer, tuple(output.shape))))
        return replace(known, seen=seen)

    def of(self, tensor: Tensor) -> Known:
        """Return what is known about a tensor."""
        found: Known | None = self._known.get(tensor)
        if found is not None and found.version == aliases.version(tensor):
            return found
        if id(tensor) in self._constants:
            return Known(footprints.constant(tensor.shape), constant=True)
        base = tensor._base
        if found is None or base is None:
            return UNKNOWN
        under: Known | None = self._known.get(base)
        if under is None or under.seen is None or under.version != aliases.version(tensor):
            return UNKNOWN
        return Known(aliases.part_of(base, under.seen, tensor))

    def _note(self, tensor: Tensor, known: Known) -> None:
        self._known[tensor] = replace(known, version=aliases.version(tensor))

    def _after_reading(self, seen: Value | None) -> Value | None:
        """Return a footprint together with what the values that were read depend on."""
        if seen is None or self._read is None:
            return seen
        joined = footprints.joined(seen, self._read)
        assert isinstance(joined, Value)
        return joined

    def _all_of(self, known: Iterable[Known]) -> Tensor | None:
        """Return the pixels on which any of some tensors depends, (4,); None if unknown."""
        seen = [k.seen for k in known]
        values = [value for value in seen if value is not None]
        return footprints.everything(values) if len(values) == len(seen) else None

    def _reads(self, given: Iterable[Tensor]) -> None:
        """Note that Python, or the shape of a result, gets to know the values of tensors."""
        seen = self._all_of([self._given[id(tensor)] for tensor in given])
        seen = self._everything if seen is None else seen
        if bool((seen < footprints.NOTHING).any()):
            self._read = seen if self._read is None else torch.minimum(self._read, seen)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, then follow it."""
        kwargs = kwargs or {}
        given = list(tensors((args, list(kwargs.values()))))
        # Before the operation, which may change them in place.
        self._given = {id(tensor): self.of(tensor) for tensor in given}
        out = func(*args, **kwargs)
        name, function = called(func)
        if name in NOT_FOLLOWED:
            return out
        self._convolved |= "conv" in name
        if name == "__setitem__":
            self._assign(*args)
        self._reads(read_by(name, args, given))
        results = list(tensors(out))
        if results:
            self._follow(name, function, args, kwargs, out, results, given)
        return out

    def _follow(
        self,
        name: str,
        func: Any,
        args: Any,
        kwargs: Any,
        out: Any,
        results: list[Tensor],
        given: list[Tensor],
    ) -> None:
        known = [self._given[id(tensor)] for tensor in given]
        if name in EMPTY or all(k.constant for k in known):
            for result in results:
                seen = self._after_reading(footprints.constant(result.shape))
                self._note(result, Known(seen, constant=self._read is None))
            return
        found = self._seen(name, func, args, kwargs, results, known)
        found = [self._after_reading(value) for value in found]
        sources = self._origins(name, func, args, kwargs, out, len(results), given, known)
        for result, value, origin in zip(results, found, sources, strict=True):
            self._note(result, Known(value, origin))
        if given and results[0] is given[0]:
            self._write_through(given[0])

    def _write_through(self, view: Tensor) -> None:
        """Note for the tensor of which `view` is a part that this part was changed in place."""
        base = view._base
        before = None if base is None else self._known.get(base)
        if base is None or before is None:
            return
        seen, new = before.seen, self.of(view).seen
        if seen is not None and new is not None:
            seen = aliases.written_into(base, seen, view, new)
        self._note(base, Known(seen if new is not None else None))

    def _seen(
        self,
        name: str,
        func: Any,
        args: Any,
        kwargs: Any,
        results: list[Tensor],
        known: list[Known],
    ) -> list[Value | None]:
        shapes = [tuple(result.shape) for result in results]
        if all(k.seen is not None for k in known):
            try:
                found = self._by_rule(name, func, args, kwargs)
                parts = found if isinstance(found, list) else [found]
                return [fitting(part, shape) for part, shape in zip(parts, shapes, strict=True)]
            except Exception:
                pass
        seen = self._all_of(known)
        if seen is None:
            return [None] * len(results)
        return [Value(shape, seen.reshape(4, *[1] * len(shape))) for shape in shapes]

    def _by_rule(self, name: str, func: Any, args: Any, kwargs: Any) -> Any:
        if "input" in kwargs and not args:
            kwargs = dict(kwargs)
            args = (kwargs.pop("input"),)
        if name in MOVING:
            if name in ("reshape", "expand") and isinstance(args[1], Tensor):
                args = (args[0], args[1].shape)  # `view_as` and its like
            others = tensors((args[1:], list(kwargs.values())))
            if any(not self._given[id(tensor)].constant for tensor in others):
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
        seen = self._given[id(tensor)].seen
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
        known = self._given[id(target)]
        other = self._given[id(value)] if isinstance(value, Tensor) else NUMBER
        where = [self._given[id(tensor)] for tensor in tensors(index)]
        if self._read is None and all(k.constant for k in (known, other, *where)):
            self._note(target, known)
            return
        self._note(
            target, Known(self._after_reading(_assigned(target, known, index, other, where)))
        )
        self._write_through(target)


def _assigned(
    target: Tensor, known: Known, index: Any, other: Known, where: Sequence[Known]
) -> Value | None:
    """Return the footprint of `target` after an assignment; `where` belongs to the index."""
    parts = [k.seen for k in (other, *where) if k.seen is not None]
    if known.seen is None or len(parts) < 1 + len(where):
        return None
    if all(k.constant for k in where):
        planes = known.seen.full.clone()
        for k in range(4):
            planes[k][index] = parts[0].full[k]
        return Value(tuple(target.shape), planes)
    # The values of the image decide which elements are assigned.
    if isinstance(index, Tensor) and index.shape == target.shape and parts[-1].shape == index.shape:
        inside = footprints.joined(parts[-1], footprints.everything(parts[:-1]))
        assert isinstance(inside, Value)
        return Value(known.seen.shape, footprints.union([known.seen, inside]))
    joined = footprints.joined(known.seen, footprints.everything(parts))
    assert isinstance(joined, Value)
    return joined
