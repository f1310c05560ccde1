"""Starting and ending the studio."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer
from PyQt6.QtWidgets import QApplication

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

    Without a display, the first session runs offscreen for a few seconds and saves two pictures.

    Raises
    ------
    StudioError
        If the named file cannot be opened, or a window is needed and there is no display.
    """
    why = no_display()
    if why and start.watched is not None:
        raise StudioError(
            f"Watching needs a window, and {why}; ldam-studio render --weights FILE makes a "
            "picture of one checkpoint."
        )
    if why:
        from ldam_studio.gui.app.offscreen import run_without_display

        return run_without_display(start, why)
    app = make_application()
    window, failures, code = run_window(start, app)
    # Everything is saved. The operating system frees Qt's objects: Python would delete them in
    # arbitrary order, which crashes now and then, and would wait for a step that takes seconds.
    _KEPT.extend((app, window, failures))
    atexit.register(_leave, code)
    return code


def run_window(start: Start, app: QApplication) -> tuple[StudioWindow, Failures, int]:
    """Show the window until it is closed; return it, what reports its errors, and the exit code.

    Raises
    ------
    StudioError
        If the named file cannot be opened.
    """
    # This comes before the window, so that an error is reported in the terminal.
    opening = opening_of(start)
    window = _window(start, opening)
    failures = Failures(window.banner.say)
    with Interrupt(window, window.closing.at_once), failures:
        return window, failures, app.exec()


_KEPT: list[QObject] = []


def _leave(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _window(start: Start, opening: Opening | None) -> StudioWindow:
    """Make the window, let it open its first session, and show it."""
    from ldam_studio.gui.opening.file_kinds import SESSION
    from ldam_studio.gui.opening.files import Files
    from ldam_studio.gui.session.openings import start as ten_digits
    from ldam_studio.gui.session.store import SessionStore
    from ldam_studio.gui.watch.watching import Watching
    from ldam_studio.gui.window.window import StudioWindow

    named = start.named
    # Where there is a store, every session is kept in it, and the next start opens it again.
    keeps = named is None or not named.is_in_memory
    window = StudioWindow(start.device, SessionStore() if keeps else None, start.data)
    # A full collection of garbage holds the interpreter. Over all that was imported, some 300,000
    # objects, that takes up to half a second, in which the window would stand still.
    gc.freeze()
    before = ten_digits(start.device, start.data)
    if keeps:
        recalled = window.recall()
        remembered = recalled.opening
        before = before if start.fresh else remembered
        if named is not None and opening is not None and not start.fresh:
            if named.request.name == recalled.network:
                note = "The last session showed this network, too."
                opening = replace(opening, note=note, offered=remembered.offered or remembered)
    picture = start.file if start.file is not None and not SESSION.has(start.file) else None
    if picture is not None or start.link:
        opening = None  # what was named lies over the last session
    if opening is not None and (opening.published or opening.trusted is not None):
        # The window may have to ask first; until then it shows the last session.
        window.open(before)
    watched = start.watched
    if watched is not None:
        window.feature(Watching).start(
            watched.place, watched.network, watched.average, watched.rounds
        )
    else:
        if opening is not None and start.file is not None:
            opening = replace(opening, fallback=before)
        window.open(replace(opening or before, preset=start.preset))
    if named is not None and keeps:
        window.feature(Files).networks.remember(named.request)
    if picture is not None:
        window.feature(Files).open(picture)
    if start.link:
        window.feature(Files).open_link(start.link)
    window.show()
    if start.unknown is not None:
        QTimer.singleShot(0, partial(ask_for_input, window, start.unknown))
    return window


def ask_for_input(window: StudioWindow, request: NetworkRequest) -> None:
    """Show the dialog that asks for the input format of the network on the command line."""
    from ldam_studio.gui.opening.files import Files

    window.feature(Files).ask_for_network(request).ask_for_input()
