"""The members of a session file, read in parts, so that its size is not that of memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile
from zlib import error as ZlibError

import numpy as np

from ldam_studio.errors import StudioError, plain
from ldam_studio.export.archive.contents import MOST_MEMBERS, PART, Member, damaged
from ldam_studio.files import LONGEST_NAME, opened
from ldam_studio.memory import enough_for, free_bytes, require
from ldam_studio.networks.weights.reading.pickles import Unreadable
from ldam_studio.networks.weights.reading.zips import listed
from ldam_studio.progress import tell


class Members:
    """The members of a session file that is open; none of them is trusted.

    Parameters
    ----------
    path
        The name of the file, for what is said of it.

    Raises
    ------
    StudioError
        If it is no zip archive, or one that no session file is.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._path = path
        try:
            self._archive = listed(file, MOST_MEMBERS + 1)
        except Unreadable as error:
            raise StudioError(f"{path} {error}; use the file as it was saved.") from None
        self._sizes = {one.filename: one.file_size for one in self._archive.infolist()}

    @property
    def names(self) -> set[str]:
        """The names of all members."""
        return set(self._sizes)

    def small(self, name: str, most: int) -> bytes:
        """Return a member of at most `most` bytes, of which nothing is known."""
        if self._sizes.get(name, 0) > most:
            raise damaged(str(self._path))
        return b"".join(self._parts(name))

    def parts(self, name: str, said: Member) -> Iterator[bytes]:
        """Yield a member's content in parts.

        Raises
        ------
        StudioError
            At the end, or before, if it is not what the file says it is.
        """
        digest, size = hashlib.sha256(), 0
        if self._sizes.get(name) != said.size:
            raise self._changed(name)
        for part in self._parts(name):
            digest.update(part)
            size += len(part)
            yield part
        if size != said.size or digest.hexdigest() != said.sha256:
            raise self._changed(name)

    def whole(self, name: str, said: Member) -> memoryview:
        """Return a member's content; raises as `parts` does."""
        what, way_out = f"The session file {self._path}", "close other programs"
        with enough_for(what, way_out):
            require(f"{what} needs", said.size, free_bytes(), way_out)
            # Not filled with zeros, which would hold the window up.
            found, size = np.empty(said.size, np.uint8), 0
            for part in self.parts(name, said):
                tell("reading the session (MB)", size // 10**6, said.size // 10**6)
                found[size : size + len(part)] = np.frombuffer(part, np.uint8)
                size += len(part)
        return found.data

    def _parts(self, name: str) -> Iterator[bytes]:
        try:
            info = self._archive.getinfo(name)
            if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise BadZipFile
            with self._archive.open(info) as member:
                while part := member.read(PART):
                    yield part
        except KeyError:
            raise damaged(str(self._path)) from None
        except (BadZipFile, ZlibError, EOFError, NotImplementedError, ValueError):
            raise self._refused(name, "is damaged") from None
        except RuntimeError:  # which `zipfile` raises where a password is needed
            raise self._refused(name, "is encrypted") from None

    def _changed(self, name: str) -> StudioError:
        return self._refused(name, "was changed after it was saved")

    def _refused(self, name: str, why: str) -> StudioError:
        return StudioError(
            f"{plain(name, LONGEST_NAME)} in {self._path} {why}; use the file as it was saved."
        )


@contextmanager
def opened_members(path: Path) -> Iterator[Members]:
    """Open a session file; raises `StudioError` if it cannot be read."""
    with opened(path) as file:
        yield Members(file, path)
