"""Weights that lie in several files, with an index that says which tensor lies where."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path

import msgspec

from ldam_studio.errors import StudioError
from ldam_studio.files import hash_of as hash_of_file
from ldam_studio.files import read_bytes
from ldam_studio.networks.weights.reading.building import MOST_TENSORS
from ldam_studio.networks.weights.reading.content import Tree, entries
from ldam_studio.networks.weights.reading.formats import tensors_of
from ldam_studio.networks.weights.reading.pickles import Unreadable

MOST_SHARDS = 1000
MOST_BYTES = 64_000_000
"""The largest index: `MOST_TENSORS` long names, each with that of its file."""


class _Index(msgspec.Struct):
    weight_map: dict[str, str]


def shards_in(data: bytes) -> dict[str, str] | None:
    """Return the file of each tensor if these are the bytes of an index, else None.

    Raises
    ------
    Unreadable
        If an index names a file outside of its folder, or too much.
    """
    if not data.lstrip()[:1] == b"{" or len(data) > MOST_BYTES:
        return None
    try:
        found = msgspec.json.decode(data, type=_Index).weight_map
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    files = set(found.values())
    if len(found) > MOST_TENSORS or len(files) > MOST_SHARDS:
        raise Unreadable("names more files or tensors than a network has")
    for name in files:
        if not name or name in (".", "..") or any(letter in name for letter in "/\\:\0"):
            raise Unreadable("names files outside of its own folder")
    return found


def files_of(path: Path, found: dict[str, str]) -> list[Path]:
    """Return the shards of the index at `path`, in the order of their names."""
    return [path.parent / name for name in sorted(set(found.values()))]


def hash_of(path: Path, data: bytes, found: dict[str, str]) -> str:
    """Return the SHA-256 of a file's bytes, or over those of an index and of its shards."""
    digest = hashlib.sha256(data)
    for shard in files_of(path, found):
        digest.update(bytes.fromhex(hash_of_file(shard)))
    return digest.hexdigest()


def read_shards(path: Path, data: bytes, found: dict[str, str]) -> tuple[Tree, str]:
    """Read the shards of the index at `path`.

    Returns
    -------
    The tensors, and a SHA-256 over the index and the files.

    Raises
    ------
    StudioError
        If a file is missing or damaged, or lacks a tensor that it should have.
    """
    digest = hashlib.sha256(data)
    whole: Tree = OrderedDict()
    for shard in files_of(path, found):
        part = read_bytes(shard)
        digest.update(hashlib.sha256(part).digest())
        try:
            tensors = dict(entries(tensors_of(part)))
        except Unreadable as error:
            raise StudioError(f"{shard}, a part of {path.name}, {error}; copy it again.") from None
        for name in (name for name, file in found.items() if file == shard.name):
            if name not in tensors:
                raise StudioError(
                    f"{shard} lacks weights that {path.name} says are in it; copy all files of the "
                    "same version."
                )
            whole[name] = tensors[name]
    return whole, digest.hexdigest()
