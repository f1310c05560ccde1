"""Finding the pictures of an atlas, in groups that share a sprite sheet, without reading them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.files import is_folder, is_regular

FILES = "index+files"
"""Folder of what belongs to the page. No layer's folder has a plus in its name."""
PER_GROUP = 64
"""Pictures of a sprite sheet, which a browser keeps in memory together."""
FOLDER = re.compile(r"[A-Za-z0-9_.,@-]+")
NAMED = re.compile(r"([A-Za-z0-9_.,@-]*?)(?:-[0-9a-f]{24})?-[0-9a-f]{24}\.png")
"""Names of folders and pictures, see `atlas.folder`; others are somebody else's."""
NUMBER = re.compile(r"-(\d{1,9})\Z")


@dataclass(frozen=True)
class File:
    """A picture in the folder of a layer: its name, size in bytes, and time of change in ns."""

    name: str
    size: int
    changed: int


@dataclass(frozen=True)
class Group:
    """Pictures of one folder that share a sprite sheet.

    Attributes
    ----------
    name
        Equal for no two groups of an atlas, and the same from one time to the next.
    folder
        The name of their folder.
    """

    name: str
    folder: str
    files: tuple[File, ...]

    def stamp(self, kind: str) -> str:
        """Return a hash that changes with any of the files.

        Parameters
        ----------
        kind
            What is made of them, and in which way.
        """
        told = [kind, self.folder, *(f"{f.name}/{f.size}/{f.changed}" for f in self.files)]
        return hashlib.sha256("\n".join(told).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def groups_in(folder: Path) -> Iterator[Group]:
    """Yield the groups of an atlas; those of a layer's neurons that are neighbours are together.

    A neuron that is drawn later changes only its own group, because groups go by numbers.

    Raises
    ------
    StudioError
        If a folder cannot be read.
    """
    for place in _folders(folder):
        groups: dict[int, list[tuple[int, File]]] = {}
        for number, file in _pictures(folder / place):
            groups.setdefault(number // PER_GROUP, []).append((number, file))
        for at, numbered in sorted(groups.items()):
            files = [file for _, file in sorted(numbered, key=lambda each: (each[0], each[1].name))]
            for part in range(0, len(files), PER_GROUP):
                name = f"{place}+{at}" + (f".{part // PER_GROUP}" if part else "")
                yield Group(name, place, tuple(files[part : part + PER_GROUP]))


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if FOLDER.fullmatch(each.name)]
    except OSError as error:
        raise StudioError(f"{folder} cannot be read ({error.strerror}); check the path.") from None
    return sorted(name for name in names if is_folder(folder / name))


def _pictures(folder: Path) -> Iterator[tuple[int, File]]:
    """Yield the pictures in a folder with the numbers of their neurons, 0 if they have none."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                named = NAMED.fullmatch(entry.name)
                if named is None or not is_regular(folder / entry.name):  # a link in a circle
                    continue
                about, number = entry.stat(), NUMBER.search(named[1])
                file = File(entry.name, about.st_size, about.st_mtime_ns)
                yield int(number[1]) if number else 0, file
    except OSError as error:
        raise StudioError(f"{folder} cannot be read ({error.strerror}); check the path.") from None
