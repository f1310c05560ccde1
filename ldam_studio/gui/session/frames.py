"""Passes frames on to every part of the window that shows something of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame

WORDS_S = 0.2  # numbers that change faster cannot be read


class Frames(QObject):
    """Emits each frame, and keeps the last one."""

    shown = pyqtSignal(object)  # every Frame
    read = pyqtSignal(object)  # a Frame every `WORDS_S` seconds, for texts with numbers

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.last: Frame | None = None
        self.count = 0
        self._read_due = 0.0

    def show(self, frame: Frame) -> None:
        """Keep a frame and emit it."""
        self.last = frame
        self.count += 1
        self.shown.emit(frame)
        now = time.monotonic()
        if now >= self._read_due:
            self._read_due = now + WORDS_S
            self.read.emit(frame)

    def hurry(self) -> None:
        """Emit `read` for the next frame, however soon it comes."""
        self._read_due = 0.0

    def clear(self) -> None:
        """Forget the last frame, because another session opens."""
        self.last = None
