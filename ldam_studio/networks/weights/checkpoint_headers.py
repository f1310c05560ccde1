"""Reading what a checkpoint's header and name say about it, without reading its weights."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from ldam_studio.errors import StudioError
from ldam_studio.files import opened, read_bytes
from ldam_studio.networks.weights.checkpoint_places import Natural
from ldam_studio.networks.weights.checkpoints import Checkpoint, Shapes, Stamp
from ldam_studio.networks.weights.places import INDEX, index_of
from ldam_studio.networks.weights.reading.building import MOST_TENSORS
from ldam_studio.networks.weights.reading.formats import (
    HEAD,
    HEADER_LIMIT,
    OTHERS,
    PICKLE,
    TAR_ARCHIVE,
    UNKNOWN,
    ZIP,
    format_of,
)
from ldam_studio.networks.weights.reading.pickles import Unreadable
from ldam_studio.networks.weights.reading.shards import MOST_BYTES, shards_in
from ldam_studio.networks.weights.suffixes import is_safetensors, is_weights, without_suffixes

KEY = "checkpoint"
"""Name of the metadata entry in a safetensors file: a JSON object with fields of `Checkpoint`."""

OLD_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa85019")
"""How torch.save's files began before torch 1.6: torch.serialization.MAGIC_NUMBER, pickled."""
DIGITS = 18  # number of significant digits that are read
LIMIT = 10.0**DIGITS  # comparisons with NaN are false, so that it is excluded, too
MOST_KEYS = 10 * MOST_TENSORS
"""In a safetensors header, which has four for each tensor."""
NUMBER = re.compile(r"(?P<name>[A-Za-z]+)?[-_=.]?(?P<value>\d+(?:\.\d+)?)")


class _Entry(msgspec.Struct, frozen=True):
    """What the header of a safetensors file says about a tensor."""

    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def examine(path: Path, stamp: Stamp, name: str = "", run: Natural = ()) -> Checkpoint | str:
    """Return the checkpoint at `path`, or the reason why the file is not one.

    Parameters
    ----------
    name, run
        See `checkpoint_places.name_and_run`; the file's own name if empty.
    """
    try:
        problem, about, shapes = _content(path)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except StudioError:  # gone, or no longer a file
        return "cannot be read"
    if problem:
        return problem
    known = _understood(about, without_suffixes(name or path.name))
    return Checkpoint(path, stamp, **known, shapes=shapes, run=run)


def is_perhaps_weights(path: Path) -> bool:
    """Return whether a file begins as weights do; only its first bytes are read."""
    try:
        with opened(path) as file:
            head, size = file.read(HEAD), os.fstat(file.fileno()).st_size
    except (OSError, StudioError):
        return False
    return format_of(head, size) != UNKNOWN or OLD_MAGIC in head


def _content(path: Path) -> tuple[str, Mapping[str, Any], Shapes | None]:
    """Return what is wrong with a file, if anything, and what its header says about it."""
    with opened(path) as file:
        head, size = file.read(HEAD), file.seek(0, 2)
    if not size:
        return "is empty", {}, None
    index = index_of(path)
    if index is not None:
        return f"is a part of {index.name}", {}, None
    if path.name.endswith(INDEX):
        return _index(path), {}, None
    kind = format_of(head, size)
    length = int.from_bytes(head[:8], "little")
    if is_safetensors(path) or (head[8:9] == b"{" and 2 <= length <= HEADER_LIMIT):
        return _header(path)
    for start, problem in OTHERS.items():
        if head.startswith(start):
            return problem, {}, None
    # The formats before torch 1.6 do not record their length; reading shows if they are cut short.
    if kind in (PICKLE, TAR_ARCHIVE) or OLD_MAGIC in head:
        return "", {}, None
    if kind == ZIP and zipfile.is_zipfile(path):
        return _archive(path), {}, None
    if is_weights(path) or kind == ZIP:
        return "is cut short or not saved by torch.save", {}, None
    return "is not a weights file", {}, None


def _index(path: Path) -> str:
    """Return what is wrong with the index of weights in several files, if anything."""
    try:
        return "" if shards_in(read_bytes(path, MOST_BYTES)) else "is not an index of weights"
    except StudioError:
        return "cannot be read"
    except Unreadable as error:
        return str(error)


@lru_cache(maxsize=64)
def _shared(shapes: Shapes) -> Shapes:
    """Return equal shapes as one object, since all checkpoints of a training have the same."""
    return shapes


def _header(path: Path) -> tuple[str, Mapping[str, Any], Shapes | None]:
    """Read a safetensors header; check that the file is as long as the header says."""
    with opened(path) as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= HEADER_LIMIT:
            return "is not a safetensors file", {}, None
        text = file.read(length)
        size = file.seek(0, 2)
    if len(text) < length:
        return "is cut short", {}, None
    if text.count(b'":') > MOST_KEYS:
        return "holds more tensors than a network has", {}, None
    try:
        # Parsed in parts, since other threads wait while one is parsed, the window's among them.
        header = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        metadata = header.pop("__metadata__", msgspec.Raw(b"{}"))
        entries = {k: msgspec.json.decode(v, type=_Entry) for k, v in header.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "is not a safetensors file", {}, None
    if size < 8 + length + max((entry.data_offsets[1] for entry in entries.values()), default=0):
        return "is cut short", {}, None
    shapes = tuple((name, entry.shape) for name, entry in entries.items())
    try:
        about = json.loads(msgspec.json.decode(metadata).get(KEY, "{}"))
    except (ValueError, TypeError, AttributeError, RecursionError):
        about = {}
    return "", about if isinstance(about, Mapping) else {}, _shared(shapes)


def _archive(path: Path) -> str:
    """Return what is wrong with a zip archive, if anything."""
    try:
        with opened(path) as file, zipfile.ZipFile(file) as archive:
            known = any(name.endswith(("data.pkl", ".npy")) for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError):
        return "is cut short or not saved by torch.save"
    return "" if known else "is an archive without weights of torch"


def _understood(about: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return epoch, step, loss and accuracy from the metadata, else from the file's name."""
    found: dict[str, Any] = {}
    for match in NUMBER.finditer(name):
        word = (match["name"] or "").lower()
        key = {"e": "epoch", "ep": "epoch", "s": "step", "iter": "step", "acc": "accuracy"}.get(
            word, word
        )
        if key not in ("epoch", "step", "loss", "accuracy"):
            continue
        found.setdefault(key, float(match["value"][:DIGITS]))
    if not found and (last := re.findall(r"\d+", name)):
        found["step"] = float(last[-1][:DIGITS])
    if found.get("accuracy", 0.0) > 1:  # in per cent in names
        found["accuracy"] /= 100
    for key in ("epoch", "step", "loss", "accuracy"):
        value = about.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LIMIT:
            found[key] = float(value)
    if "step" in found:
        found["step"] = int(found["step"])
    return found
