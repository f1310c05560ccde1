"""Asks the running session questions without freezing the window, even during a long step."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future, wait
from typing import TYPE_CHECKING, TypeVar

from PyQt6.QtCore import QObject, pyqtSignal

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.session.controller import Controller

T = TypeVar("T")
AT_ONCE_S = 0.04  # most sessions answer within this time, for which the window may freeze


class Question(QObject):
    """Asks one question at a time, and passes its answer on in the window's thread.

    Parameters
    ----------
    controller
        The controller of the current session.
    """

    waiting = pyqtSignal()  # the answer has to wait for the current step
    ended = pyqtSignal()  # the question was answered or cancelled
    _answered = pyqtSignal(object, object)  # Future, function

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._future: Future[object] | None = None
        self._answered.connect(self._hand_over)
        # The session that is left answers still, but nobody asks about it any more.
        controller.opening.connect(self.cancel)

    def ask(self, question: Callable[[SessionState], T], then: Callable[[T], object]) -> bool:
        """Ask `question`, and call `then` with its answer, now or after the current step.

        An earlier question that is still open is cancelled.

        Returns
        -------
        bool
            Whether there is a session to ask.
        """
        self.cancel()
        future = self._controller.ask(question)
        if future is None:
            return False
        self._future = future
        wait([future], AT_ONCE_S)
        if future.done():
            self._hand_over(future, then)
        else:
            self.waiting.emit()
            future.add_done_callback(lambda done: self._answered.emit(done, then))
        return True

    def cancel(self) -> None:
        """Cancel the open question, if there is one."""
        future, self._future = self._future, None
        if future is not None:
            future.cancel()
            self.ended.emit()

    def _hand_over(self, future: Future[T], then: Callable[[T], object]) -> None:
        if future is not self._future:
            return
        self._future = None
        self.ended.emit()
        try:
            answer = future.result(0)
        except CancelledError:
            return  # the session was closed meanwhile
        then(answer)
