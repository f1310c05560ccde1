"""Reading what a checkpoint's header and name say about it, without reading its weights."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ldam_studio.networks.weights.checkpoints import Checkpoint, Shapes, Stamp
from ldam_studio.networks.weights.suffixes import is_safetensors

KEY = "checkpoint"
"""Name of the metadata entry in a safetensors file: a JSON object with fields of `Checkpoint`."""

HEADER_LIMIT = 100_000_000  # bytes, safetensors' own limit for its header
OLD_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa85019")
"""How torch.save's files began before torch 1.6: torch.serialization.MAGIC_NUMBER, pickled."""
DIGITS = 18  # number of significant digits that are read
LIMIT = 10.0**DIGITS  # comparisons with NaN are false, so that it is excluded, too
NUMBER = re.compile(r"(?P<name>[A-Za-z]+)?[-_=.]?(?P<value>\d+(?:\.\d+)?)")


def examine(path: Path, stamp: Stamp) -> Checkpoint | str:
    """Return the checkpoint at `path`, or the reason why the file is not one."""
    try:
        problem, about, shapes = _header(path) if is_safetensors(path) else (*_archive(path), None)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return problem or Checkpoint(path, stamp, **_understood(about, path.stem), shapes=shapes)


@lru_cache(maxsize=64)
def _shared(shapes: Shapes) -> Shapes:
    """Return equal shapes as one object, since all checkpoints of a training have the same."""
    return shapes


def _header(path: Path) -> tuple[str, Mapping[str, Any], Shapes | None]:
    """Read a safetensors header; check that the file is as long as the header says."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= HEADER_LIMIT:
            return "is not a safetensors file", {}, None
        text = file.read(length)
        size = file.seek(0, 2)
    if len(text) < length:
        return "is cut short", {}, None
    try:
        header = json.loads(text)
        entries = {k: v for k, v in header.items() if k != "__metadata__"}
        end = 8 + length + max((v["data_offsets"][1] for v in entries.values()), default=0)
        metadata = header.get("__metadata__", {})
        shapes = tuple((name, tuple(map(int, v["shape"]))) for name, v in entries.items())
    except (LookupError, ValueError, OverflowError, TypeError, AttributeError, RecursionError):
        return "is not a safetensors file", {}, None
    if size < end:
        return "is cut short", {}, None
    try:
        about = json.loads(metadata.get(KEY, "{}"))
    except (ValueError, TypeError, AttributeError, RecursionError):
        about = {}
    return "", about if isinstance(about, Mapping) else {}, _shared(shapes)


def _archive(path: Path) -> tuple[str, Mapping[str, Any]]:
    """Check for the zip archive that torch.save writes, or for its older format."""
    with open(path, "rb") as file:
        # The format before torch 1.6 does not record its length; reading shows if it is cut short.
        known = OLD_MAGIC in file.read(32) or zipfile.is_zipfile(file)
    return ("" if known else "is cut short or not saved by torch.save"), {}


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
