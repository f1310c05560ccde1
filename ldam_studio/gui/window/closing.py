"""Closing the window: what runs comes to rest, the session is saved, and then the window goes."""

from __future__ import annotations

import time
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from ldam_studio.gui.window.window import StudioWindow

AT_ONCE_S = 0.04  # most sessions answer within that; a window may stand still for as long
LOOK_MS = 20
LONGEST_S = 60.0  # for the step under way, which cannot be broken off
KEY = "closing"  # of the sentence in the message bar


class Closing(QObject):
    """Lets a window go once its session is saved.

    The sampler answers between two steps, and one step may take many seconds; the window lives
    meanwhile. Who closes it again does not want to wait.
    """

    def __init__(self, window: StudioWindow) -> None:
        super().__init__(window)
        self._window = window
        self._answer: Future[bytes] | None = None
        self._began = 0.0
        self._is_over = False
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)

    def may_go(self) -> bool:
        """Return whether the window may go now; where not, it is closed again once it may."""
        if self._is_over:
            return True
        if self._answer is None:
            self._begin()
        if self._answer is None or self._is_answered():
            self._end("")
            return True
        if not self._timer.isActive():
            self._wait()
            return False
        self._end(
            "its step took too long"
            if self._is_late()
            else "the studio was closed again before the step under way had ended"
        )
        return True

    def _begin(self) -> None:
        self._began = time.monotonic()
        self._window.leave_all()
        if self._window.store is not None:
            self._answer = self._window.store.ask(self._window)
            if self._answer is not None:
                wait([self._answer], AT_ONCE_S)

    def _wait(self) -> None:
        window = self._window
        assert window.store is not None
        # What is killed while it waits is not found to be saved.
        window.store.note_unsaved(window, "the studio was ended before the step under way had")
        window.say_closing(KEY)
        self._timer.start()

    def _look(self) -> None:
        if self._is_answered() or self._is_late():
            self._window.close()

    def _is_answered(self) -> bool:
        return self._answer is not None and self._answer.done()

    def _is_late(self) -> bool:
        return time.monotonic() - self._began > LONGEST_S

    def _end(self, unsaved: str) -> None:
        self._is_over = True
        self._timer.stop()
        answer, self._answer = self._answer, None
        if unsaved and answer is not None:
            answer.cancel()
        if self._window.store is not None:
            self._window.store.save(self._window, None if unsaved else answer, unsaved)
