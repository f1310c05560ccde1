"""How recipes write the places of files, so that they move with the picture and name no person.

A file in or near the folder of the picture is written relative to it, one elsewhere in the user's
home as ``~/...``. The folder of another user's home, which has their name in it, is left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ldam_studio.files import LONGEST, LONGEST_NAME, expanded
from ldam_studio.networks.sources.families import runs_code
from ldam_studio.networks.sources.labels import IMAGENET

MOST_UP = 3
"""Folders above the picture's from which a relative path may lead down again."""

HOMES = re.compile(r"(/home/[^/]+|/Users/[^/]+|/root|[A-Za-z]:/Users/[^/]+)(?=/)")
"""Home folders, as any system writes them."""

FILES = ("weights", "labels", "picture_file")

DEVICES = re.compile(r"/(dev|proc|sys)(/|$)")
WINDOWS_DEVICES = {
    *("CON", "PRN", "AUX", "NUL"),
    *(f"{name}{number}" for name in ("COM", "LPT") for number in range(1, 10)),
}
"""Names that are devices in every folder on Windows, whatever their suffix."""


def with_written_places(value: Any, folder: Path | None) -> Any:
    """Return JSON in which the files of networks are written for a picture in `folder`.

    None writes for a recipe that lies in no folder, such as that in a link.
    """
    return _with_places(value, lambda place: written(place, folder))


def with_read_places(value: Any, folder: Path) -> Any:
    """Return JSON that was written for `folder` with the places that it means here.

    Nothing is looked for.
    """
    return _with_places(value, lambda place: next((str(p) for p in where(place, folder)), place))


def _with_places(value: Any, written: Callable[[str], str]) -> Any:
    """Return JSON in which each place of a file or folder is `written` anew."""
    if isinstance(value, Mapping):
        found = {key: _with_places(each, written) for key, each in value.items()}
        if "sha256" in found:  # a reference to a network or a file of weights
            for key in FILES:
                if isinstance(found.get(key), str) and found[key] != str(IMAGENET):
                    found[key] = written(found[key])
            if isinstance(found.get("name"), str):
                found["name"] = _with_place(found["name"], written)
        if "seed" in found and isinstance(found.get("data"), str):  # a session
            found["data"] = written(found["data"])
        return found
    if isinstance(value, list | tuple):
        return [_with_places(each, written) for each in value]
    return value


def written_name(name: str, folder: Path | None) -> str:
    """Return the name of a network, with its file written for a picture in `folder`."""
    return _with_place(name, lambda place: written(place, folder))


def _with_place(name: str, written: Callable[[str], str]) -> str:
    place, _, function = name.rpartition(":")
    return f"{written(place)}:{function}" if is_file_name(name) else name


def is_file_name(name: str) -> bool:
    """Return whether a network's name is that of a function in a file."""
    return runs_code(name) and name.rpartition(":")[0].endswith(".py")


def written(place: str, folder: Path | None) -> str:
    """Return how a recipe in `folder` writes the place of a file or folder."""
    path, home = expanded(place).absolute(), Path.home()
    near = None if folder is None else _near(path, folder.absolute(), home)
    if near is not None:
        return near.as_posix()
    if home in path.parents:
        return f"~/{path.relative_to(home).as_posix()}"
    return path.name if HOMES.match(path.as_posix()) else path.as_posix()


def _near(path: Path, folder: Path, home: Path) -> Path | None:
    """Return a path relative to a folder; None if it leads far away."""
    try:
        near = Path(os.path.relpath(path, folder))
    except ValueError:  # on another drive
        return None
    above = folder.parents[near.parts.count("..") - 1] if ".." in near.parts else folder
    far = near.parts.count("..") > MOST_UP or above in (home, *home.parents, *path.parents[-1:])
    return None if near.is_absolute() or (".." in near.parts and far) else near


def where(place: str, folder: Path) -> Iterator[Path]:
    """Yield where the file may be that a recipe in `folder` writes like this, the likeliest first.

    Recipes of 0.1.0 have places as they were typed: absolute, or relative to the program's folder.
    Nothing is yielded for what names no usual file; see `is_usual`.
    """
    if not is_usual(place):
        return
    try:
        path = expanded(place)
    except RuntimeError:  # the home of somebody who is not known here
        path = Path(place)
    if not path.is_absolute():
        yield folder / path
    yield path
    yield folder / Path(place.replace("\\", "/")).name


def is_usual(place: str) -> bool:
    """Return whether text can name a usual file; it is not looked for.

    On Windows, asking for a file on a share connects to the computer that the share names, and a
    device may be called like a file anywhere.
    """
    if not 0 < len(place) <= LONGEST or any(ord(letter) < 32 for letter in place):
        return False
    parts = place.replace("\\", "/").split("/")
    if parts[:2] == ["", ""] or DEVICES.match("/".join(parts)):
        return False
    names = [part.partition(".")[0].rstrip().upper() for part in parts]
    return not WINDOWS_DEVICES & set(names) and all(len(part) <= LONGEST_NAME for part in parts)


def is_inside(path: Path, folder: Path) -> bool:
    """Return whether a file lies in a folder or below it, also where links lead elsewhere.

    A path that leaves the folder by its text is not looked for.
    """
    top = Path(os.path.abspath(folder))
    text = Path(os.path.abspath(path))
    if text != top and top not in text.parents:
        return False
    try:
        real, top = text.resolve(), top.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle
        return False
    return real == top or top in real.parents
