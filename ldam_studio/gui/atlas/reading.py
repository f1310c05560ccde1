"""Reading what the files of an atlas say, on a thread of its own; only what is new, if it grows."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal

from ldam_studio.atlas.browsing import Found, files_in, index_of
from ldam_studio.atlas.folder import folder_name
from ldam_studio.atlas.pictures import read_row
from ldam_studio.errors import StudioError
from ldam_studio.gui.task import Task
from ldam_studio.progress import tell

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from ldam_studio.atlas.folder import Index

READING = "reading the atlas"
EVERY_S = 0.2  # between two groups of neurons that are handed over
LATEST_S = 2.0  # so exactly do all file systems tell when a folder has changed

Stamp = tuple[tuple[str, int], ...]
"""When each folder of the atlas has changed last, in nanoseconds."""


@dataclass(frozen=True)
class Read:
    """What a reading has found besides neurons.

    Attributes
    ----------
    damaged
        Files that cannot be read.
    stamp
        As the folders were before; None if that cannot tell whether they change.
    """

    damaged: frozenset[Path]
    stamp: Stamp | None


class Reading(Task):
    """Reads an atlas; `done` carries a `Read`, or None if no folder has changed.

    Parameters
    ----------
    known
        Files that are not read again.
    before
        The stamp of the reading before.
    """

    began = pyqtSignal(object)  # Index
    arrived = pyqtSignal(object)  # list of Found

    def __init__(
        self, folder: Path, known: AbstractSet[Path] = frozenset(), before: Stamp | None = None
    ) -> None:
        super().__init__(lambda _task: self._read(folder, known, before))
        self.setObjectName("read-atlas")

    def leave(self) -> None:
        """Abandon the task."""
        for signal in (self.began, self.arrived):
            with suppress(TypeError):
                signal.disconnect()
        super().leave()

    def _read(self, folder: Path, known: AbstractSet[Path], before: Stamp | None) -> Read | None:
        index = index_of(folder)
        stamp = _stamp(folder, index)
        if stamp is not None and stamp == before:
            return None
        self.began.emit(index)
        paths = [path for path in files_in(folder, index.layers) if path not in known]
        found, damaged = list[Found](), set[Path]()
        handed = time.monotonic()
        for number, path in enumerate(paths):
            tell(READING, number, len(paths))
            try:
                found.append(Found(path, read_row(path)))
            except StudioError:
                damaged.add(path)
            if found and time.monotonic() - handed > EVERY_S:
                handed = time.monotonic()
                self.arrived.emit(found)
                found = []
        if found:
            self.arrived.emit(found)
        return Read(frozenset(damaged), stamp)


def _stamp(folder: Path, index: Index) -> Stamp | None:
    """Return when the folders of an atlas have changed; None if one may be changing right now."""
    stamp = list[tuple[str, int]]()
    for name in ("", *dict.fromkeys(map(folder_name, index.layers))):
        with suppress(OSError):
            stamp.append((name, os.stat(folder / name).st_mtime_ns))
    latest = max((changed for _name, changed in stamp), default=0)
    return None if abs(time.time_ns() - latest) < LATEST_S * 1e9 else tuple(stamp)
