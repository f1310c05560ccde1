"""Zip archives: session files, and those of torch.save since 1.6, torch.jit.save, numpy.savez."""

from __future__ import annotations

import re
import zlib
from io import SEEK_END, SEEK_SET, BytesIO
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np

from ldam_studio.networks.weights.reading import building
from ldam_studio.networks.weights.reading.building import (
    ARRAYS,
    MOST_TENSORS,
    Storage,
    array,
    storage_type,
    whole,
)
from ldam_studio.networks.weights.reading.pickles import Inert, Machine, Unreadable

MEMBER, IN_LIST, HEADER = b"PK\x03\x04", b"PK\x01\x02", 30
"""What a member begins with, what its entry in the list begins with, and bytes of its header."""
STORED, DEFLATED, ENCRYPTED = 0, 8, 1
FIRST_VERSION = b"\x93NUMPY\x01\x00"
ARRAY_HEADER = re.compile(
    rb"\{'descr': '([<>|=])([a-z]\d+)', 'fortran_order': (True|False), "
    rb"'shape': \(([\d, ]{0,500})\), \} *\n"
)
LONGEST_HEADER = 4096  # bytes
LONGEST_ENTRY = 1024  # bytes of a member in the list, with its name
TIMES = 8  # weights hardly become smaller
SMALL = 64_000_000
"""Bytes that an archive may hold, however small it is; larger ones may hold `TIMES` their size."""


class _Stream:
    """The file of an archive, of which the list may name at most `most` members."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file, self._most = file, most
        self.is_listed = False
        self.tell, self.seekable = file.tell, file.seekable

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Go to a place in the file."""
        if whence == SEEK_SET and offset < 0:
            raise BadZipFile
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        """Return a part of the file; until the archive is listed, none longer than its list."""
        if self.is_listed:
            return self._file.read(size)
        longest = self._most * LONGEST_ENTRY
        data = self._file.read(longest if size < 0 else min(size, longest))
        # Counted before an entry is made of each, which takes ten times as much.
        if data.count(IN_LIST) > self._most:
            raise Unreadable("holds more files than belong into one")
        return data


def listed(file: BinaryIO, most: int) -> ZipFile:
    """Open a zip archive of at most `most` members; what they would take is checked.

    Raises
    ------
    Unreadable
        If it is none, or would take more than belongs into its file.
    """
    stream, size = _Stream(file, most), file.seek(0, SEEK_END)
    try:
        archive = ZipFile(stream)
    except (BadZipFile, ValueError, NotImplementedError, UnicodeError):
        raise Unreadable("is damaged") from None
    stream.is_listed = True
    found = archive.infolist()
    if len({info.filename for info in found}) < len(found):
        raise Unreadable("holds two files of one name")
    if sum(info.file_size for info in found) > max(SMALL, TIMES * size):
        raise Unreadable("would unpack to much more than its own size")
    return archive


class Archive:
    """The members of a zip archive; what they would take is checked before any of them is read."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        with listed(BytesIO(data), 2 * MOST_TENSORS) as archive:
            self.members = {info.filename: info for info in archive.infolist()}

    def read(self, name: str) -> memoryview | bytes:
        """Return a member's bytes."""
        info = self.members.get(name)
        if info is None or info.flag_bits & ENCRYPTED:
            raise Unreadable("is damaged" if info is None else "is encrypted")
        packed = self._packed(info)
        if info.compress_type == STORED:
            raw: memoryview | bytes = packed
        elif info.compress_type == DEFLATED:
            try:
                raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, info.file_size + 1)
            except zlib.error:
                raise Unreadable("is damaged") from None
        else:
            raise Unreadable("is packed in an unusual way")
        if len(raw) != info.file_size or zlib.crc32(raw) != info.CRC:
            raise Unreadable("is damaged")
        return raw

    def _packed(self, info: ZipInfo) -> memoryview:
        at = info.header_offset
        head = self._data[at : at + HEADER]
        if len(head) < HEADER or not head.startswith(MEMBER):
            raise Unreadable("is damaged")
        start = at + HEADER + int.from_bytes(head[26:28], "little")
        start += int.from_bytes(head[28:30], "little")
        if start + info.compress_size > len(self._data):
            raise Unreadable("is damaged")
        return memoryview(self._data)[start : start + info.compress_size]


def read_archive(data: bytes) -> Any:
    """Return what an archive of torch or numpy holds, with `Inert` objects in it."""
    archive = Archive(data)
    pickled = next((name for name in archive.members if name.endswith("/data.pkl")), None)
    if pickled is not None:
        return _of_torch(archive, pickled.removesuffix("data.pkl"))
    arrays = [name for name in archive.members if name.endswith(".npy")]
    if arrays and len(arrays) == len(archive.members):
        return {name.removesuffix(".npy"): _of_numpy(archive.read(name)) for name in arrays}
    raise Unreadable("is an archive of other files")


def _of_torch(archive: Archive, root: str) -> Any:
    swapped = f"{root}byteorder" in archive.members and archive.read(f"{root}byteorder") == b"big"
    storages: dict[str, Storage] = {}

    def persistent(identifier: Any) -> Any:
        if not isinstance(identifier, tuple) or identifier[:1] != ("storage",):
            return Inert("persistent", (identifier,))
        _, kind, name, _, count = identifier[:5]
        dtype = storage_type(kind)
        if not isinstance(name, str):
            raise Unreadable("is damaged")
        if dtype is None:
            return Inert("storage", (kind,))
        if name not in storages:
            storages[name] = Storage.of(archive.read(f"{root}data/{name}"), dtype, swapped)
        flat = storages[name].values
        if flat.dtype != dtype or flat.numel() < whole(count):
            raise Unreadable("is damaged")
        return storages[name]

    machine = Machine(building.call, building.build, persistent)
    return machine.load(BytesIO(archive.read(f"{root}data.pkl")))


def _of_numpy(raw: memoryview | bytes) -> Any:
    """Return the array in a file of numpy's, which says its type, order and size in its header.

    Numpy reads that text with Python's own parser, which is not given a stranger's text here.
    """
    first = bytes(raw[: len(FIRST_VERSION)]) == FIRST_VERSION
    start = len(FIRST_VERSION) + (2 if first else 4)
    end = start + int.from_bytes(raw[len(FIRST_VERSION) : start], "little")
    header = ARRAY_HEADER.fullmatch(bytes(raw[start : min(end, LONGEST_HEADER)]))
    if header is None:
        raise Unreadable("is damaged")
    order, kind, is_fortran, sizes = (group.decode() for group in header.groups())
    if kind not in ARRAYS:
        return None
    dtype = np.dtype(kind).newbyteorder(">" if order == ">" else "<")
    shape = [int(size) for size in sizes.split(",") if size.strip()]
    return array(shape, dtype, raw[end:], is_fortran == "True")
