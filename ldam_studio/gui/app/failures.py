"""Reports uncaught exceptions: one sentence in the window, the traceback in the terminal."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QApplication

from ldam_studio.gui.studio import Kind


class Failures(QObject):
    """Shows each uncaught exception as one sentence; without this, PyQt would end the process.

    A queued signal carries exceptions of other threads to the window's thread, because only that
    thread may use widgets.

    Parameters
    ----------
    say
        Shows a message in the window; called with its text and its kind.
    """

    failed = pyqtSignal(str)

    def __init__(self, say: Callable[[str, Kind], object]) -> None:
        super().__init__()
        self.failed.connect(lambda text: say(text, "danger"))

    def __enter__(self) -> Failures:
        self._hooks = sys.excepthook, threading.excepthook
        sys.excepthook = self._caught
        threading.excepthook = lambda args: self._caught(
            args.exc_type, args.exc_value, args.exc_traceback
        )
        return self

    def __exit__(self, *_: object) -> None:
        sys.excepthook, threading.excepthook = self._hooks

    def _caught(
        self,
        kind: type[BaseException],
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        traceback.print_exception(kind, error, trace)
        calls = traceback.extract_tb(trace)
        place = f" in {Path(calls[-1].filename).name}" if calls else ""
        self.failed.emit(
            f"Something went wrong{place} ({kind.__name__}: {error}); the session continues, and "
            "the details are in the terminal."
        )
