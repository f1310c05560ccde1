"""Starting and ending the studio."""

from __future__ import annotations

import atexit
import os
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer

from ldam_studio.errors import StudioError
from ldam_studio.gui.app.application import make_application, opening_of
from ldam_studio.gui.app.display import no_display
from ldam_studio.gui.app.failures import Failures
from ldam_studio.gui.app.interrupt import Interrupt

if TYPE_CHECKING:
    from ldam_studio.gui.app.start import Start
    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.window.window import StudioWindow
    from ldam_studio.networks.sources.request import NetworkRequest


def main(start: Start) -> int:
    """Open the studio and return the exit code.

    Without a display, the opening session runs offscreen for a while and leaves two pictures.

    Raises
    ------
    StudioError
        If a picture that was named cannot be opened, or a window is needed and there is no display.
    """
    why = no_display()
    if why and start.watched is not None:
        raise StudioError(
            f"Watching takes a window, and {why}; a checkpoint's picture is made by ldam-studio "
            "render --weights FILE."
        )
    if why:
        from ldam_studio.gui.app.offscreen import run_without_display

        return run_without_display(start, why)
    app = make_application()
    # Before the window, so that a file that cannot be opened is reported in the terminal.
    opening = opening_of(start)
    window = _window(start, opening)
    failures = Failures(window.banner.say)
    with Interrupt(window), failures:
        code = app.exec()
    # Everything is saved. Qt's objects are left to the operating system: Python would take them
    # down in any order, which now and then crashes, and would wait for a step that takes seconds.
    _KEPT.extend((app, window, failures))
    atexit.register(_leave, code)
    return code


_KEPT: list[QObject] = []


def _leave(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _window(start: Start, opening: Opening | None) -> StudioWindow:
    """Make the window, let it open its first session, and show it."""
    from ldam_studio.gui.opening.files import Files
    from ldam_studio.gui.session.openings import start as ten_digits
    from ldam_studio.gui.session.store import SessionStore
    from ldam_studio.gui.watch.watching import Watching
    from ldam_studio.gui.window.window import StudioWindow

    window = StudioWindow(start.device, SessionStore(), start.data)
    recalled = window.recall()
    remembered = recalled.opening
    before = ten_digits(start.device, start.data) if start.fresh else remembered
    named = start.named
    if named is not None and opening is not None and not start.fresh:
        if named.request.name == recalled.network:
            note = "The last session looked at this network, too."
            opening = replace(opening, note=note, offered=remembered.offered or remembered)
    if opening is not None and opening.published:
        # What may have to be asked is asked in a window that lives.
        window.open(before)
    watched = start.watched
    if watched is not None:
        window.feature(Watching).start(
            watched.place, watched.network, watched.average, watched.rounds
        )
    else:
        window.open(replace(opening or before, preset=start.preset))
    if named is not None:
        window.feature(Files).remember_network(named.request)
    window.show()
    if start.unknown is not None:
        QTimer.singleShot(0, partial(ask_for_input, window, start.unknown))
    return window


def ask_for_input(window: StudioWindow, request: NetworkRequest) -> None:
    """Show the dialog that asks what images the network of the command line takes."""
    from ldam_studio.gui.opening.files import Files

    window.feature(Files).ask_for_network(request).ask_for_input()
