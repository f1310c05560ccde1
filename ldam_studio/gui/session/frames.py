"""The frames on the screen, for everything that shows part of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame

WORDS_S = 0.2  # numbers that change faster cannot be read


class Frames(QObject):
    """Hands each frame on."""

    shown = pyqtSignal(object)  # each Frame
    read = pyqtSignal(object)  # a Frame whose numbers may be written out: a few times a second

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.last: Frame | None = None
        self.count = 0
        self._read_due = 0.0

    def show(self, frame: Frame) -> None:
        """Take over a frame."""
        self.last = frame
        self.count += 1
        self.shown.emit(frame)
        now = time.monotonic()
        if now >= self._read_due:
            self._read_due = now + WORDS_S
            self.read.emit(frame)

    def hurry(self) -> None:
        """Let the numbers of the next frame be written out, whenever it comes."""
        self._read_due = 0.0

    def clear(self) -> None:
        """Forget the last frame, as while another session opens."""
        self.last = None
