"""The images of a source with the SHA-256 of each, kept so that unchanged files are not read again.

A file counts as unchanged while its name, size and time of change are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from ldam_studio.explore.real_images import shards
from ldam_studio.explore.real_images.folders import MOST_LISTED, is_inside
from ldam_studio.explore.real_images.sources import Spec
from ldam_studio.files import LONGEST, is_regular, write_durably

VERSION = 1
MOST_BYTES = 2**29
MOST_NAMED = 100
"""Files that could not be read whose names are kept; the others are counted."""
MOST_KEPT = 100
"""Catalogues that are kept; the oldest make room."""
NOTHING = bytes(shards.DIGEST)
"""The hash of an image that has not been read."""

Text = Annotated[str, Meta(max_length=1000)]
Count = Annotated[int, Meta(ge=0, le=10**9)]


class Unread(Struct, frozen=True):
    """A file that could not be read, and why."""

    name: Annotated[str, Meta(max_length=LONGEST)]
    why: Text


class Report(Struct, frozen=True):
    """What reading the images of a source gave.

    Attributes
    ----------
    total
        Images that the source has, of which a limit may have chosen some.
    unread
        The first of those that could not be read.
    unread_count, animated, converted
        Numbers of images; see `pictures.Decoded`.
    copies
        Images whose content is that of another.
    shut
        Folders that could not be looked into.
    complete
        Whether all images were read; otherwise reading was stopped.
    """

    total: Count = 0
    unread: Annotated[tuple[Unread, ...], Meta(max_length=MOST_NAMED)] = ()
    unread_count: Count = 0
    animated: Count = 0
    converted: Count = 0
    copies: Count = 0
    shut: Count = 0
    complete: bool = True


class _About(Struct, frozen=True):
    version: int
    kind: Text
    place: Annotated[str, Meta(max_length=LONGEST)]
    limit: Count
    report: Report


@dataclass(frozen=True)
class Catalogue:
    """The images of a source.

    Attributes
    ----------
    names, hashes
        Of each image; the hash is `NOTHING` if it was not read.
    sizes, times
        See `sources.Listed`.
    """

    spec: Spec
    limit: int
    names: tuple[str, ...]
    hashes: tuple[bytes, ...]
    sizes: NDArray[np.int64]
    times: NDArray[np.int64]
    report: Report

    def known(self) -> Mapping[tuple[str, int, int], bytes]:
        """Return the hash of each file, by its name, size and time."""
        rows = zip(self.names, self.sizes.tolist(), self.times.tolist(), self.hashes, strict=True)
        return {(n, size, time): h for n, size, time, h in rows if time and h != NOTHING}

    def write(self) -> None:
        """Keep it; raises `StudioError` if that fails."""
        path = _path(self.spec, self.limit)
        place = _written(self.spec.place)
        about = _About(VERSION, self.spec.kind, place, self.limit, self.report)
        names = "\0".join(self.names).encode(errors="surrogateescape")
        tensors: dict[str, NDArray[Any]] = {
            "names": np.frombuffer(names, np.uint8),
            "hashes": np.frombuffer(b"".join(self.hashes), np.uint8),
            "sizes": self.sizes,
            "times": self.times,
        }
        metadata = {shards.ABOUT: msgspec.json.encode(about).decode()}
        if not is_regular(path):  # a pipe, say, in the program's own folder
            with suppress(OSError):
                path.unlink()
        write_durably(path, lambda to: save_file(tensors, to, metadata))
        _drop_oldest(path)


def read_catalogue(spec: Spec, limit: int) -> Catalogue | None:
    """Return what is known of a source's images; None if nothing is, or it is damaged."""
    path = _path(spec, limit)
    try:
        if not is_regular(path) or path.stat().st_size > MOST_BYTES:
            return None
        with safe_open(path, "numpy") as file:
            about = msgspec.json.decode(file.metadata()[shards.ABOUT], type=_About)
            text, hashes, sizes, times = (
                file.get_tensor(name) for name in ("names", "hashes", "sizes", "times")
            )
        said = about.version, about.kind, about.place
        if said != (VERSION, spec.kind, _written(spec.place)):
            return None
        names = tuple(text.tobytes().decode(errors="surrogateescape").split("\0"))
        count = len(names)
        if count > MOST_LISTED or any(not is_inside(name) for name in names):
            return None
        kinds = (hashes.dtype, sizes.dtype, times.dtype)
        if kinds != (np.uint8, np.int64, np.int64):
            return None
        if (hashes.shape, sizes.shape, times.shape) != (
            (count * shards.DIGEST,),
            (count,),
            (count,),
        ):
            return None
    except (*shards.DAMAGE, msgspec.MsgspecError, UnicodeError):
        return None
    rows = tuple(row.tobytes() for row in hashes.reshape(count, shards.DIGEST))
    return Catalogue(spec, about.limit, names, rows, sizes, times, about.report)


def _written(place: str) -> str:
    """Return a path as text for JSON, which has no letters for bytes that are not UTF-8."""
    return place.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _path(spec: Spec, limit: int) -> Path:
    said = f"{spec.kind}\0{spec.place}\0{limit}".encode(errors="surrogateescape")
    return shards.folder() / f"{hashlib.sha256(said).hexdigest()[:32]}{shards.SUFFIX}"


def _drop_oldest(own: Path) -> None:
    with suppress(OSError):
        kept = sorted(own.parent.glob(f"*{shards.SUFFIX}"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-MOST_KEPT]:
            path.unlink(missing_ok=True)
