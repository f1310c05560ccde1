"""Listing the pictures in folders and zips, which may hold anything, and very much of it."""

from __future__ import annotations

import heapq
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.progress import tell
from ldam_studio.training.pictures import ENDINGS, MOST_BYTES, NotAPictureError

MOST_LISTED = 1_000_000
"""Files in a folder and those below it."""
TOLD = 1000
"""Entries of folders between two words about progress."""
RUN = 10_000
"""Pictures that are sorted at once, which takes some milliseconds."""

Found = tuple[str, int, int]
"""A picture's name below the place, its bytes, and when it was changed, or a zip's checksum."""


def _is_picture(name: str) -> bool:
    # In zips, macOS adds a file "._NAME" for each file, which is not a picture.
    return name.lower().endswith(ENDINGS) and not name.rsplit("/", 1)[-1].startswith("._")


def is_inside(name: str) -> bool:
    """Return whether a name leads to nothing outside of its folder."""
    path = Path(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts


def in_folder(place: Path, shut: list[str]) -> Iterator[Found]:
    """Yield the pictures in a folder and those below it; says how many were found so far.

    Links to folders, which may lead round, are not followed. Names of folders that cannot be looked
    into are added to `shut`.

    Raises
    ------
    StudioError
        If the folder itself cannot be, or holds more than `MOST_LISTED` files.
    """
    waiting, seen, found = [""], 0, 0
    tell("looking for pictures")
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(place / below) as entries:
                for entry in entries:
                    seen += 1
                    if seen % TOLD == 0:
                        tell(f"looking for pictures: {found:,} found")
                    if seen > MOST_LISTED:
                        raise StudioError(
                            f"{place} holds more than {MOST_LISTED:,} files; choose a folder "
                            "inside it."
                        )
                    name = f"{below}/{entry.name}" if below else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(name)
                    elif _is_picture(name):
                        found += 1
                        yield (name, *_stat(entry))
        except OSError as error:
            if not below:
                raise StudioError(
                    f"{place} cannot be read ({error.strerror or error}); choose another folder."
                ) from None
            shut.append(below)


def _stat(entry: os.DirEntry[str]) -> tuple[int, int]:
    try:
        about = entry.stat()
    except OSError:  # a link that leads nowhere
        return 0, 0
    return about.st_size, about.st_mtime_ns


def in_order(found: Iterable[Found]) -> list[Found]:
    """Return pictures sorted, in parts: sorting all of them at once would keep the window waiting.

    Python's own sort lets no other thread run until it is done.
    """
    left, runs = iter(found), []
    while run := sorted(islice(left, RUN)):
        runs.append(run)
    return list(heapq.merge(*runs))


@contextmanager
def opened_zip(place: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip; raises `StudioError` if it is missing, damaged or no zip."""
    try:
        # Opening a pipe would wait for somebody who writes to it.
        if not stat.S_ISREG(place.stat().st_mode):
            raise zipfile.BadZipFile
        archive = zipfile.ZipFile(place)
    except FileNotFoundError:
        raise StudioError(f"There is no folder or zip {place}; check the path.") from None
    except OSError as error:
        raise StudioError(f"{place} cannot be read ({error.strerror or error}).") from None
    except Exception:
        raise StudioError(
            f"{place} is neither a folder nor a zip file of pictures, or is damaged; choose "
            "another."
        ) from None
    with archive:
        yield archive


def in_zip(archive: zipfile.ZipFile) -> Iterator[Found]:
    """Yield the pictures in a zip; names that lead out of it are those of no picture."""
    for info in archive.infolist()[:MOST_LISTED]:
        if _is_picture(info.filename) and not info.is_dir() and is_inside(info.filename):
            yield info.filename, min(info.file_size, MOST_BYTES + 1), info.CRC


def unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a file of a zip, unless it is too large."""
    if archive.getinfo(name).file_size > MOST_BYTES:
        raise NotAPictureError("too large")
    return archive.read(name)
