"""Runs work that takes seconds on a thread of its own; it can be abandoned at any time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import torch
from PyQt6.QtCore import QThread, pyqtSignal

from ldam_studio.errors import StudioError
from ldam_studio.gui.stragglers import keep_to_its_end
from ldam_studio.progress import Listener, Stage, Stopped

PROGRESS_S = 0.1  # between two reports of progress, so that the text can be read


class Task(QThread):
    """Calls one function on a thread and reports its outcome in a signal.

    Parameters
    ----------
    work
        Called on the thread with the task as its argument; it may call `progress`. ``done`` carries
        its return value, ``failed`` the `StudioError` that it raises, ``staged`` what it says of
        itself with `progress.tell`.
    """

    done = pyqtSignal(object)
    failed = pyqtSignal(object)  # StudioError
    progressed = pyqtSignal(object, object)  # what is done, and all (0 if unknown)
    staged = pyqtSignal(object)  # Stage

    def __init__(self, work: Callable[[Task], object]) -> None:
        super().__init__()
        self._work = work
        self._abandoned = threading.Event()
        self._listener = Listener(self._hear)
        self._reported_at = 0.0
        self._doing = ""

    def run(self) -> None:
        """Do the work."""
        # The sampler runs at the same time, and the window needs a core too.
        torch.set_num_threads(1)
        try:
            with self._listener.heard_on():
                result = self._work(self)
        except Stopped:
            return  # nobody waits for the outcome
        except StudioError as error:
            self.failed.emit(error)
        except BaseException as error:
            # The user's own code may raise anything, even SystemExit; the window must continue.
            self.failed.emit(StudioError(f"That failed ({type(error).__name__}: {error})."))
        else:
            self.done.emit(result)

    def progress(self, done: int, total: int) -> bool:
        """Report progress, such as a download's in bytes; return whether to continue."""
        now = time.monotonic()
        if now - self._reported_at > PROGRESS_S or done == total:
            self._reported_at = now
            self.progressed.emit(done, total)
        return not self._abandoned.is_set()

    def _hear(self, stage: Stage) -> None:
        """Report what the work does, unless it goes from part to part too fast to be read."""
        now = time.monotonic()
        if now - self._reported_at > PROGRESS_S or stage.doing != self._doing:
            self._reported_at, self._doing = now, stage.doing
            self.staged.emit(stage)

    def leave(self) -> None:
        """Abandon the task: it is stopped, and its result is ignored.

        Returns at once. A single operation of torch, or an import of a large library, goes on to
        its end; the program does not wait for it at exit.
        """
        self._abandoned.set()
        self._listener.stop()
        for signal in (self.done, self.failed, self.progressed, self.staged):
            try:
                signal.disconnect()
            except TypeError:
                continue  # nothing is connected
        keep_to_its_end(self)
