"""Loading the thumbnails that are in view, on a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage

from ldam_studio.atlas.browsing import thumbnail
from ldam_studio.errors import StudioError
from ldam_studio.gui.task import Task
from ldam_studio.gui.theme.paint import qimage

EVERY_S = 0.03  # between two groups of pictures that are handed over


class Loader(QObject):
    """Loads what was wanted last; what was wanted before and is not there yet is given up."""

    loaded = pyqtSignal(object)  # list of a position and its QImage, None for a damaged file

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._task: _Loading | None = None
        self._wanted: frozenset[int] = frozenset()

    def want(self, wanted: Sequence[tuple[int, Path]]) -> None:
        """Load pictures by their positions and files."""
        positions = frozenset(position for position, _path in wanted)
        if self._task is not None and positions <= self._wanted:
            return
        self.leave()
        if not wanted:
            return
        self._wanted = positions
        task = self._task = _Loading(wanted)
        # Not the signal itself: what is under way from the thread would arrive after `leave`, too.
        task.loaded.connect(lambda group: self.loaded.emit(group))
        task.done.connect(self._on_done)
        task.start()

    def leave(self) -> None:
        """Give up what is being loaded."""
        if self._task is not None:
            self._task.leave()
            self._task = None

    def _on_done(self, _nothing: object) -> None:
        self.leave()


class _Loading(Task):
    loaded = pyqtSignal(object)

    def __init__(self, wanted: Sequence[tuple[int, Path]]) -> None:
        super().__init__(lambda _task: self._load(wanted))
        self.setObjectName("load-thumbnails")

    def leave(self) -> None:
        """Abandon the task."""
        self.loaded.disconnect()
        super().leave()

    def _load(self, wanted: Sequence[tuple[int, Path]]) -> None:
        group = list[tuple[int, QImage | None]]()
        handed = time.monotonic()
        for number, (position, path) in enumerate(wanted):
            if not self.progress(number, len(wanted)):
                return
            try:
                group.append((position, qimage(thumbnail(path))))
            except StudioError:
                group.append((position, None))
            if time.monotonic() - handed > EVERY_S:
                handed = time.monotonic()
                self.loaded.emit(group)
                group = []
        if group:
            self.loaded.emit(group)
