"""Work that takes seconds, on a thread of its own, which may be left behind at any time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import torch
from PyQt6.QtCore import QThread, pyqtSignal

from ldam_studio.errors import StudioError
from ldam_studio.gui.session.thread import keep_to_its_end

PROGRESS_S = 0.1  # more often than this nobody can read it


class Task(QThread):
    """Does one thing and tells what came of it.

    Parameters
    ----------
    work
        Called on the thread with the task itself, whose `progress` it may call; what it returns
        is told by ``done``, a `StudioError` by ``failed``.
    """

    done = pyqtSignal(object)
    failed = pyqtSignal(object)  # StudioError
    progressed = pyqtSignal(object, object)  # bytes had, bytes to come (0 if unknown)

    def __init__(self, work: Callable[[Task], Any]) -> None:
        super().__init__()
        self._work = work
        self._left = threading.Event()
        self._told_at = 0.0

    def run(self) -> None:
        """Do the work."""
        # The sampler runs beside this, and the window needs a core.
        torch.set_num_threads(1)
        try:
            result = self._work(self)
        except StudioError as error:
            self.failed.emit(error)
        except BaseException as error:
            # A person's own code may raise anything, SystemExit too; the window must live on.
            self.failed.emit(StudioError(f"That failed ({type(error).__name__}: {error})."))
        else:
            self.done.emit(result)

    def progress(self, had: int, size: int) -> bool:
        """Tell how far a download is; returns whether to go on."""
        now = time.monotonic()
        if now - self._told_at > PROGRESS_S or had == size:
            self._told_at = now
            self.progressed.emit(had, size)
        return not self._left.is_set()

    def leave(self) -> None:
        """Want nothing of it any more: it is told to stop, and its thread cleared away at its end.

        Returns at once. Python cannot be stopped in the middle of an import, so the thread may
        live for a while; should the program end before it, it does not wait.
        """
        self._left.set()
        for signal in (self.done, self.failed, self.progressed):
            try:
                signal.disconnect()
            except TypeError:
                continue  # nobody listens
        keep_to_its_end(self)
