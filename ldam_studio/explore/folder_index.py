"""The index of a folder of pictures: reading it, and whether it is that of the same pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ldam_studio.errors import StudioError, plain
from ldam_studio.files import read_state

NAMED = 3
"""Differences that a sentence names."""

T = TypeVar("T", bound=msgspec.Struct)


def read_index(path: Path, kind: type[T], what: str, remedy: str) -> T:
    """Read an index of a kind.

    Parameters
    ----------
    what, remedy
        What the folder has, and what to do if its index is damaged, for the sentence that says so.

    Raises
    ------
    StudioError
        If it is missing, damaged or from a later version.
    """
    try:
        return msgspec.json.decode(read_state(path), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise StudioError(
            f"{path} is no index of {what}, or damaged ({plain(str(error), 200)}); {remedy}."
        ) from None


def check_same(
    folder: Path, here: Mapping[str, Any], there: Mapping[str, Any], what: str, remedy: str
) -> None:
    """Raise `StudioError` if a folder has other pictures, and name what differs.

    Parameters
    ----------
    here, there
        What makes the pictures what they are, by name: those that are wanted, those of the folder.
    what, remedy
        What the folder has, and what to do, for the sentence.
    """
    names = sorted(n for n in here.keys() | there.keys() if here.get(n) != there.get(n))
    if names:
        shown = names[:NAMED]
        if len(names) > NAMED:
            shown.append(f"{len(names) - NAMED} more")
        *first, last = shown
        differing = f"{', '.join(first)} and {last}" if first else last
        raise StudioError(
            f"The folder {folder} has another {what}, which differs in {differing}; {remedy}."
        )
