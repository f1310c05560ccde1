"""A machine for pickles that makes containers, numbers and texts, and nothing else.

Python's own unpickler imports what a pickle names and calls it. This one knows the same
instructions, of all protocols, but what a pickle names stays a name: what would be made with it is
an `Inert` object, which holds what it was given. Its caller turns a few of them, such as tensors,
into values.
"""

from __future__ import annotations

import pickletools
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ldam_studio.memory import is_lack_of_memory

MOST_INSTRUCTIONS = 3_000_000
"""More than the largest checkpoints have; as many take a few seconds."""
LETTERS = 1024  # of a text that count as one instruction
LONGEST_KEY = 63  # bits of a number that is the key of a dictionary


class Unreadable(Exception):
    """A file cannot be read; the message goes on from the file's name, as in "is damaged"."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a pickle names, for example ``argparse.Namespace``. Nothing is imported."""

    name: str


@dataclass(eq=False, slots=True)
class Inert:
    """An object of a class that is not known, with everything that it was given.

    Attributes
    ----------
    name
        What would have been called to make it.
    args
        The arguments of that call.
    state
        Its attributes, or whatever else stands for its state.
    items, entries
        What was appended to it, if it is a list, and put into it, if it is a dictionary.
    """

    name: str
    args: tuple[Any, ...] = ()
    state: Any = None
    items: list[Any] = field(default_factory=list)
    entries: dict[Any, Any] = field(default_factory=dict)


Call = Callable[[str, tuple[Any, ...]], Any]
Build = Callable[[Any, Any], Any]
Persistent = Callable[[Any], Any]


def key(value: Any) -> Any:
    """Return a key for a dictionary; what may take long to hash becomes an `Inert` object."""
    usual = value is None or isinstance(value, str | bytes | float | Inert | Name)
    if usual or (isinstance(value, int) and value.bit_length() <= LONGEST_KEY):
        return value
    return Inert("key", (value,))


class Machine:
    """Reads pickles.

    Parameters
    ----------
    call
        Makes what a name stands for, given the name and its arguments.
    build
        Gives an object its state, and returns the object.
    persistent
        Returns what an identifier outside of the pickle stands for.
    """

    def __init__(self, call: Call, build: Build, persistent: Persistent) -> None:
        self._call_name, self._build_state, self._persistent = call, build, persistent
        self._left = MOST_INSTRUCTIONS

    def spend(self, instructions: int) -> None:
        """Count work that a file asks for as so many instructions; refuse what is too much."""
        self._left -= instructions
        if self._left < 0:
            raise Unreadable("holds more objects than a file of weights has")

    def load(self, file: BinaryIO) -> Any:
        """Read one pickle from the place where a file is, up to its end.

        Raises
        ------
        Unreadable
            If it is damaged, or has more than `MOST_INSTRUCTIONS`.
        """
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        try:
            for instruction, argument, _ in pickletools.genops(file):
                self.spend(1)
                name = instruction.name
                if name in VALUES:
                    self._stack.append(argument)
                elif name in MADE:
                    self._stack.append(MADE[name]())
                elif name == "STOP":
                    return self._stack.pop()
                elif name not in NOTES:
                    DOES[name](self, argument)
        except Unreadable:
            raise
        except Exception as error:
            if is_lack_of_memory(error):
                raise
            # A damaged pickle fails anywhere, with errors of many types.
            raise Unreadable("is damaged") from None
        raise Unreadable("is damaged")

    # -- the stack ------------------------------------------------------------------------------

    def _mark(self, _: Any) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _pop_mark(self, _: Any) -> None:
        self._since_mark()

    def _pop(self, _: Any) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._since_mark()

    def _duplicate(self, _: Any) -> None:
        self._stack.append(self._stack[-1])

    def _put(self, at: int) -> None:
        self._memo[at] = self._stack[-1]

    def _memoise(self, _: Any) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _get(self, at: int) -> None:
        self._stack.append(self._memo[at])

    # -- containers -----------------------------------------------------------------------------

    def _collect(self, _: Any) -> None:
        items = self._since_mark()
        self._stack.append(items)

    def _tuple(self, _: Any) -> None:
        items = self._since_mark()
        self._stack.append(tuple(items))

    def _last(self, count: int) -> None:
        if count > len(self._stack):
            raise Unreadable("is damaged")
        self._stack[-count:] = [tuple(self._stack[-count:])]

    def _dictionary(self, _: Any) -> None:
        items = self._since_mark()
        self._stack.append(OrderedDict())
        _set(self._stack[-1], items)

    def _append(self, _: Any) -> None:
        item = self._stack.pop()
        _extend(self._stack[-1], [item])

    def _appends(self, _: Any) -> None:
        items = self._since_mark()
        _extend(self._stack[-1], items)

    def _set_item(self, _: Any) -> None:
        value, name = self._stack.pop(), self._stack.pop()
        _set(self._stack[-1], [name, value])

    def _set_items(self, _: Any) -> None:
        items = self._since_mark()
        _set(self._stack[-1], items)

    # -- names, and what is made with them ------------------------------------------------------

    def _global(self, argument: str) -> None:
        self._stack.append(Name(argument.replace(" ", ".", 1)))

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise Unreadable("is damaged")
        self._stack.append(Name(f"{module}.{name}"))

    def _extension(self, code: int) -> None:
        # The registry of this process, which could name anything, is not asked.
        self._stack.append(Name(f"copyreg.extension.{code}"))

    def _from_persistent(self, identifier: str) -> None:
        self._stack.append(self._persistent(identifier))

    def _from_persistent_stack(self, _: Any) -> None:
        self._stack.append(self._persistent(self._stack.pop()))

    def _made(self, what: Any, args: Any, *more: Any) -> Any:
        given = args if isinstance(args, tuple) else (args,)
        # What is made of one remembered argument again and again is copied each time.
        self.spend(sum(len(each) for each in given if isinstance(each, list | tuple | dict)))
        self.spend(sum(len(each) // LETTERS for each in given if isinstance(each, bytes | str)))
        if isinstance(what, Name) and not more:
            return self._call_name(what.name, given)
        return Inert(what.name if isinstance(what, Name | Inert) else "", (*given, *more))

    def _reduce(self, _: Any) -> None:
        args, what = self._stack.pop(), self._stack.pop()
        self._stack.append(self._made(what, args))

    def _new_with_names(self, _: Any) -> None:
        named, args, what = self._stack.pop(), self._stack.pop(), self._stack.pop()
        self._stack.append(self._made(what, args, *([named] if named else [])))

    def _instance(self, argument: str) -> None:
        args = self._since_mark()
        self._stack.append(self._made(Name(argument.replace(" ", ".", 1)), tuple(args)))

    def _object(self, _: Any) -> None:
        what, *args = self._since_mark()
        self._stack.append(self._made(what, tuple(args)))

    def _build(self, _: Any) -> None:
        state, what = self._stack.pop(), self._stack.pop()
        if isinstance(what, Inert):
            what.state = state
        self._stack.append(self._build_state(what, state))


def _extend(target: Any, items: list[Any]) -> None:
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, Inert):
        target.items.extend(items)
    else:
        raise Unreadable("is damaged")


def _set(target: Any, items: list[Any]) -> None:
    entries = target.entries if isinstance(target, Inert) else target
    if not isinstance(entries, dict) or len(items) % 2:
        raise Unreadable("is damaged")
    for name, value in zip(items[::2], items[1::2], strict=True):
        entries[key(name)] = value


NOTES = ("PROTO", "FRAME", "READONLY_BUFFER")
"""Instructions that change nothing here."""

VALUES = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 STRING BINSTRING SHORT_BINSTRING BINBYTES "
    "SHORT_BINBYTES BINBYTES8 BYTEARRAY8 UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 FLOAT "
    "BINFLOAT".split()
)
"""Instructions whose argument is the value."""

MADE: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_SET": list,  # a set would have to hash its items
    "EMPTY_DICT": OrderedDict,
}

DOES: dict[str, Callable[[Machine, Any], None]] = {
    "MARK": Machine._mark,
    "POP": Machine._pop,
    "POP_MARK": Machine._pop_mark,
    "DUP": Machine._duplicate,
    "PUT": Machine._put,
    "BINPUT": Machine._put,
    "LONG_BINPUT": Machine._put,
    "MEMOIZE": Machine._memoise,
    "GET": Machine._get,
    "BINGET": Machine._get,
    "LONG_BINGET": Machine._get,
    "LIST": Machine._collect,
    "FROZENSET": Machine._collect,
    "TUPLE": Machine._tuple,
    "TUPLE1": lambda machine, _: machine._last(1),
    "TUPLE2": lambda machine, _: machine._last(2),
    "TUPLE3": lambda machine, _: machine._last(3),
    "DICT": Machine._dictionary,
    "APPEND": Machine._append,
    "APPENDS": Machine._appends,
    "ADDITEMS": Machine._appends,
    "SETITEM": Machine._set_item,
    "SETITEMS": Machine._set_items,
    "GLOBAL": Machine._global,
    "STACK_GLOBAL": Machine._stack_global,
    "EXT1": Machine._extension,
    "EXT2": Machine._extension,
    "EXT4": Machine._extension,
    "PERSID": Machine._from_persistent,
    "BINPERSID": Machine._from_persistent_stack,
    "REDUCE": Machine._reduce,
    "NEWOBJ": Machine._reduce,
    "NEWOBJ_EX": Machine._new_with_names,
    "INST": Machine._instance,
    "OBJ": Machine._object,
    "BUILD": Machine._build,
}
