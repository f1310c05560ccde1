"""The files that this person has used, which pictures may name wherever they lie.

A picture may come from a stranger. What it names outside of its folder is read only if this person
has used a file of the same content before; see `locate.Nearby`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from ldam_studio.errors import StudioError
from ldam_studio.export.references import files_in
from ldam_studio.files import read_state, set_aside, state_folder, write_state

MOST = 2000
"""Files that are remembered; the oldest are forgotten."""
VERSION = 1


class Used(msgspec.Struct, frozen=True):
    """A file or folder that was used.

    `sha256` is that of the weights, of the network that has these labels, or of the images that a
    discriminator learned from; "" if there is none.
    """

    sha256: str
    path: str


class _File(msgspec.Struct):
    version: int
    used: list[Used]


def is_known(sha256: str, path: Path | None = None) -> bool:
    """Return whether a file with this content was used; with a `path`, the one that lies there."""
    where = None if path is None else _absolute(str(path))
    return any(one.sha256 == sha256 and where in (None, one.path) for one in _read())


def remember(recipe: Mapping[str, Any]) -> None:
    """Remember all files of a session, given its recipe before places are shortened.

    Nothing happens if the folder cannot be written to: the files must be named then.
    """
    found = [Used(sha256, _absolute(place)) for sha256, place in files_in(recipe)]
    _add(found)


def _add(found: Iterable[Used]) -> None:
    before = _read()
    new = [one for one in dict.fromkeys(found) if one not in before]
    if new:
        content = msgspec.json.encode(_File(VERSION, [*before, *new][-MOST:]))
        with suppress(StudioError):
            write_state(_file(), msgspec.json.format(content, indent=1))


def _absolute(place: str) -> str:
    return os.path.abspath(os.path.expanduser(place))


def _file() -> Path:
    return state_folder() / "known-files.json"


def _read() -> list[Used]:
    try:
        found = msgspec.json.decode(read_state(_file()), type=_File)
    except StudioError:
        return []
    except (msgspec.DecodeError, RecursionError):
        set_aside(_file())
        return []
    if found.version != VERSION:
        set_aside(_file())
        return []
    return found.used
