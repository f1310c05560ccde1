"""Shows the window in the process of a script, which goes on when it is closed."""

from __future__ import annotations

import gc
import sys
import threading
from typing import TYPE_CHECKING

from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtWidgets import QApplication

from ldam_studio.errors import StudioError
from ldam_studio.gui.app.application import make_application
from ldam_studio.gui.app.display import no_display
from ldam_studio.gui.app.main import run_window
from ldam_studio.gui.stragglers import STRAGGLERS

if TYPE_CHECKING:
    from ldam_studio.gui.app.start import Start

LONGEST_STEP_MS = 60_000  # what a step may take that is under way when the window closes
_OWN: list[QApplication] = []
"""The application of the first window; Qt allows one in a process, so that later ones use it."""


def check_can_show() -> None:
    """Raise `StudioError` if no window of the studio can open in this process."""
    if threading.current_thread() is not threading.main_thread():
        why = "a window opens only from the main thread"
    elif QApplication.instance() not in (None, *_OWN):
        why = "this program has a window of Qt already"
    else:
        return
    raise StudioError(f"The window cannot open in this process: {why}; use own_process=True.")


def show(start: Start) -> None:
    """Show the window until it is closed; without a display, do as `run_without_display`.

    Raises
    ------
    StudioError
        If it cannot be opened.
    """
    if why := no_display():
        from ldam_studio.gui.app.offscreen import run_without_display

        run_without_display(start, why)
        return
    interval = sys.getswitchinterval()
    try:
        app = make_application()
        _OWN[:] = [app]
        window, failures, _ = run_window(start, app)
        # The script may compute at once, and must not do so beside a last step.
        for thread in tuple(STRAGGLERS):
            thread.wait(LONGEST_STEP_MS)
        window.deleteLater()
        failures.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval)
