"""The formats of torch.save before 1.6 (pickles one after another) and 0.2 (a tar archive)."""

from __future__ import annotations

import struct
import tarfile
from io import BytesIO
from typing import Any, BinaryIO

import torch

from ldam_studio.networks.weights.reading import building
from ldam_studio.networks.weights.reading.building import (
    MOST_TENSORS,
    Storage,
    storage_type,
    view,
    whole,
)
from ldam_studio.networks.weights.reading.pickles import Inert, Machine, Name, Unreadable

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


def read_pickles(data: bytes, *, nested: bool = False) -> Any:
    """Return what a file before torch 1.6, or a plain pickle, holds, with `Inert` objects in it.

    A plain pickle has its storages inside it, each as such a file; `nested` says that this is one.
    """
    file = BytesIO(data)
    memory = _Memory(data)

    def call(name: str, args: tuple[Any, ...]) -> Any:
        if name == "torch.storage._load_from_bytes" and not nested and args:
            machine.spend(OF_A_NESTED_FILE)
            return _stored(args[0])
        return building.call(name, args)

    machine = Machine(call, building.build, memory.storage)
    first = machine.load(file)
    if not isinstance(first, int) or first != MAGIC:
        return first
    if machine.load(file) != PROTOCOL:
        raise Unreadable("was written by an unknown version of torch")
    about = machine.load(file)
    swapped = isinstance(about, dict) and about.get("little_endian") is False
    found = machine.load(file)
    keys = machine.load(file)
    memory.fill(file, keys, swapped)
    return found


OF_A_NESTED_FILE = 3_000  # instructions that each file within the file counts as


def _stored(data: Any) -> Any:
    if not isinstance(data, bytes | bytearray):
        raise Unreadable("is damaged")
    return read_pickles(bytes(data), nested=True)


class _Memory:
    """Storages that a pickle names before the file holds them."""

    def __init__(self, data: bytes) -> None:
        self._left = len(data)  # storages take no more than the file
        self._raw: dict[str, tuple[Storage, int]] = {}

    def storage(self, identifier: Any) -> Any:
        """Return an empty storage for an identifier, or a part of one."""
        if not isinstance(identifier, tuple) or len(identifier) < 5:
            return Inert("persistent", (identifier,))
        kind, type_, name, _, count = (_text(each) for each in identifier[:5])
        if kind == "module":
            return type_
        dtype = _known(storage_type(type_))
        if kind != "storage" or not isinstance(name, str):
            raise Unreadable("is damaged")
        if name not in self._raw:
            size = whole(count) * dtype.itemsize
            self._left -= size
            if self._left < 0:
                raise Unreadable("is damaged")
            self._raw[name] = (Storage.of(bytearray(size), dtype, False), size)
        whole_one = self._raw[name][0]
        part = identifier[5] if len(identifier) > 5 else None
        if part is None:
            return whole_one
        _, offset, length = part
        return Storage(view(whole_one.values, offset, (length,), (1,)))

    def fill(self, file: BinaryIO, keys: Any, swapped: bool) -> None:
        """Read the storages, which follow in the order of `keys`, each after its own length."""
        if not isinstance(keys, list):
            raise Unreadable("is damaged")
        for name in map(_text, keys):
            if name not in self._raw:
                raise Unreadable("is damaged")
            storage, size = self._raw.pop(name)
            (count,) = _unpacked("<q", file)
            raw = file.read(size)
            if count != storage.values.numel() or len(raw) < size:
                raise Unreadable("is damaged")
            storage.values.copy_(Storage.of(raw, storage.values.dtype, swapped).values)
        if self._raw:
            raise Unreadable("is damaged")


def _known(dtype: torch.dtype | None) -> torch.dtype:
    if dtype is None:  # its size is not known, and so not where the next one begins
        raise Unreadable("holds numbers of a kind that is not known")
    return dtype


def _text(value: Any) -> Any:
    return value.decode("latin1") if isinstance(value, bytes) else value


def _unpacked(form: str, file: BinaryIO) -> tuple[int, ...]:
    raw = file.read(struct.calcsize(form))
    if len(raw) < struct.calcsize(form):
        raise Unreadable("is damaged")
    return struct.unpack(form, raw)


# -- before 0.2 -----------------------------------------------------------------------------------


def read_tar(data: bytes) -> Any:
    """Return what a file before torch 0.2 holds, with `Inert` objects in it."""
    try:
        with tarfile.open(fileobj=BytesIO(data), mode="r:") as tar:
            names = ("storages", "tensors", "pickle")
            about = [tar.getmember(name) for name in names]
            # A sparse member says how many zeros it has without holding them.
            if any(member.issparse() or member.size > len(data) for member in about):
                raise Unreadable("is damaged")
            members = {member.name: tar.extractfile(member) for member in about}
            parts = {name: member.read() for name, member in members.items() if member is not None}
    except KeyError:
        raise Unreadable("is an archive of other files") from None
    except (tarfile.TarError, OSError, ValueError):
        raise Unreadable("is damaged") from None
    if len(parts) < len(names):
        raise Unreadable("is damaged")
    known: dict[Any, Any] = {}

    def persistent(identifier: Any) -> Any:
        if isinstance(identifier, tuple):
            return identifier[0] if identifier else None
        is_number = isinstance(identifier, str | int) and str(identifier).isdecimal()
        return known.get(int(identifier)) if is_number else None

    machine = Machine(building.call, building.build, persistent)
    file = BytesIO(parts["storages"])
    for _ in range(whole(machine.load(file), MOST_TENSORS)):
        name, _, kind = _three(machine.load(file))
        dtype = _known(storage_type(kind))
        (count,) = _unpacked("<q", file)
        raw = file.read(min(whole(count) * dtype.itemsize, len(data)))
        if len(raw) < count * dtype.itemsize:
            raise Unreadable("is damaged")
        known[_number(name)] = Storage.of(raw, dtype, False)
    for target, root, offset, length in machine.load(file):
        known[_number(target)] = Storage(view(known[root].values, offset, (length,), (1,)))
    file = BytesIO(parts["tensors"])
    for _ in range(whole(machine.load(file), MOST_TENSORS)):
        name, storage, _ = _three(machine.load(file))
        dimensions, _ = _unpacked("<ii", file)
        form = f"<{whole(dimensions, 32)}q"
        size, stride = _unpacked(form, file), _unpacked(form, file)
        (offset,) = _unpacked("<q", file)
        known[_number(name)] = view(known[storage].values, offset, size, stride)
    return machine.load(BytesIO(parts["pickle"]))


def _three(value: Any) -> tuple[Any, Any, Any]:
    if not isinstance(value, tuple) or len(value) != 3:
        raise Unreadable("is damaged")
    one, two, three = value
    return one, two, three if isinstance(three, Name) else Name("")


def _number(value: Any) -> int:
    return whole(value, 2**64)
