"""Closes the window after the session has been saved."""

from __future__ import annotations

import time
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Protocol

from PyQt6.QtCore import QObject, QTimer

from ldam_studio.gui.session.asking import AT_ONCE_S

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState

LOOK_MS = 20  # between two tests whether the session has answered
LONGEST_S = 60.0  # longest wait for the current step, which cannot be interrupted


class Closes(Protocol):
    """What `Closing` needs of a window."""

    def say_unfinished(self) -> bool:
        """Say what closing would stop; return False if there is nothing, or it is said already."""

    def begin_to_close(self) -> Future[SessionState] | None:
        """Start nothing new, and ask for the session; None if no session is saved."""

    def wait_to_close(self) -> None:
        """Tell the user that the window waits for the current step, and disable all input."""

    def end_closing(
        self, answer: Future[SessionState] | None, unsaved: str, *, for_good: bool
    ) -> bool:
        """Save the session, or record why it is not saved (`unsaved`).

        Return whether the window may close; it may unless the session's file cannot be written and
        this is not `for_good`, in which case the user was told.
        """

    def close(self) -> bool:
        """Close the window; return whether it was closed."""


class Closing(QObject):
    """Delays the closing of a window until its session is saved.

    The sampler answers between two steps, and one step may take many seconds; the window responds
    meanwhile. A second attempt to close it no longer waits. Where the session cannot be written,
    the window stays open once, so that the user can make room for it; and once, too, where closing
    would stop long work.
    """

    def __init__(self, window: Closes, parent: QObject) -> None:
        super().__init__(parent)
        self._window = window
        self._answer: Future[SessionState] | None = None
        self._began = 0.0
        self._is_over = self._has_tried = self._is_urgent = False
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)

    def at_once(self) -> None:
        """Close the window, whatever that stops."""
        self._is_urgent = True
        self._window.close()

    def may_go(self) -> bool:
        """Return whether the window may close now; if not, this object closes it later.

        It does not if it was only said what closing would stop.
        """
        if self._is_over:
            return True
        if self._answer is None and not self._is_urgent and self._window.say_unfinished():
            return False
        if self._answer is None:
            self._began = time.monotonic()
            self._answer = self._window.begin_to_close()
            if self._answer is not None:
                wait([self._answer], AT_ONCE_S)
        if self._answer is None or self._is_answered():
            return self._end("")
        if not self._timer.isActive():
            self._window.wait_to_close()
            self._timer.start()
            return False
        return self._end(
            "its step took too long"
            if self._is_late()
            else "the studio was closed again before the current step had ended"
        )

    def _look(self) -> None:
        if self._is_answered() or self._is_late():
            self._window.close()

    def _is_answered(self) -> bool:
        return self._answer is not None and self._answer.done()

    def _is_late(self) -> bool:
        return time.monotonic() - self._began > LONGEST_S

    def _end(self, unsaved: str) -> bool:
        self._timer.stop()
        answer = self._answer
        if unsaved and answer is not None:
            answer.cancel()
        saved = None if unsaved else answer
        for_good = self._has_tried or bool(unsaved)
        self._has_tried = True
        if self._window.end_closing(saved, unsaved, for_good=for_good):
            self._is_over, self._answer = True, None
        return self._is_over
