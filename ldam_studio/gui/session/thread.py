"""The thread in which the sampler runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QThread, pyqtSignal

from ldam_studio.engine.runner import Runner
from ldam_studio.errors import StudioError
from ldam_studio.progress import Listener, Stopped

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState


class SamplerThread(QThread):
    """Opens one session and runs it until `leave` is called.

    Its signals are rare, and carry the number of the session, so that late signals of an earlier
    session can be ignored. Frames are not sent by signals: the window takes them from the runner's
    mailbox.
    """

    opened = pyqtSignal(int, object, object)  # number, Runner, Outline
    state_changed = pyqtSignal(int, object)  # number, RunState
    failed = pyqtSignal(int, str)  # number, one sentence
    staged = pyqtSignal(int, object)  # number, Stage of the opening

    def __init__(
        self, number: int, make: Callable[[], SessionState], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(f"sampler-{number}")
        self.number = number
        self._make = make
        self._lock = threading.Lock()
        self._runner: Runner | None = None
        self._leaving = False
        self._listener = Listener(lambda stage: self.staged.emit(number, stage))

    def run(self) -> None:
        """Open the session and step until `leave`."""
        try:
            with self._listener.heard_on():
                state = self._make()
            outline = state.outline
            runner = Runner(state, on_state=self._say_state, on_error=self._say_error)
        except Stopped:
            return  # the session is not wanted any more
        except StudioError as error:
            self._say_error(str(error))
            return
        except Exception as error:
            # No error of a file or a driver may end the program.
            self._say_error(f"The session could not be opened ({type(error).__name__}: {error}).")
            return
        with self._lock:
            if self._leaving:
                return
            self._runner = runner
        self.opened.emit(self.number, runner, outline)
        try:
            runner.run()
        except Exception as error:
            self._say_error(
                f"The sampler stopped ({type(error).__name__}: {error}); open the session again."
            )

    def leave(self) -> None:
        """Ask the sampler to stop after its current step, or while it opens; returns at once."""
        self._listener.stop()
        with self._lock:
            self._leaving = True
            runner = self._runner
        if runner is not None:
            runner.close()

    def _say_state(self, state: object) -> None:
        self.state_changed.emit(self.number, state)

    def _say_error(self, sentence: str) -> None:
        self.failed.emit(self.number, sentence)
