"""A file of records that is valid after every system call that writes to it."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path


class Trail:
    """A file of records, each appended as a whole or not at all, with a trailer at its end.

    A record is written behind the trailer first, where readers do not look; its first bytes then
    replace the trailer. So the disk may be full, or the process be killed, at any time: the system
    writes a few bytes as a whole.

    Parameters
    ----------
    head
        What the file begins with, the first record included.
    trailer
        The file's last bytes; no record is shorter.
    """

    def __init__(self, path: Path, head: bytes, trailer: bytes) -> None:
        self._file = opened(path)
        self._trailer = trailer
        self.size = 0
        try:
            self._write(0, head + trailer)
        except OSError:
            self._file.close()
            raise
        self.size = len(head) + len(trailer)

    def append(self, record: bytes) -> int:
        """Append a record; return its place in the file, in bytes.

        Raises
        ------
        OSError
            If there is no space; the file is then as before.
        """
        place, short = self.size - len(self._trailer), len(self._trailer)
        try:
            self._write(self.size, record[short:] + self._trailer)
        except OSError:
            self._file.truncate(self.size)
            raise
        self._write(place, record[:short])
        self.size += len(record)
        return place

    def patch(self, place: int, data: bytes) -> None:
        """Overwrite bytes within the file, which takes no space."""
        self._write(place, data)

    def close(self) -> None:
        """Close the file, which is on the disk then."""
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _write(self, place: int, data: bytes) -> None:
        self._file.seek(place)
        write_all(self._file, data)


def opened(path: Path) -> FileIO:
    """Open a new file without a buffer, so that what was written survives the process."""
    return open(path, "w+b", buffering=0)


def write_all(file: FileIO, data: bytes) -> None:
    """Write all of the data; a disk that becomes full takes a part of it."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
