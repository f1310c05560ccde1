"""Runs the studio without a display: takes some steps of a session and saves two pictures."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer

from ldam_studio.errors import StudioError

if TYPE_CHECKING:
    from ldam_studio.gui.app.start import Start

SIZE = (1280, 820)
LONGEST_START_MS = 120_000
LONGEST_END_MS = 30_000


def run_without_display(start: Start, why: str) -> int:
    """Run a session without a display, and save its averages and a screenshot of the window.

    Parameters
    ----------
    start
        What to open; without a file or network, the ten digits.
    why
        Why no window can be shown, as a clause for the terminal.

    Returns
    -------
    int
        The exit code, 0.

    Raises
    ------
    StudioError
        If the session does not start, or the pictures cannot be written.
    """
    from ldam_studio.gui.opening.file_kinds import ATLAS

    if start.file is not None and ATLAS.has(start.file):
        raise StudioError(
            f"Looking through the atlas in {start.file} needs a window, and {why}; each of its "
            "pictures can be opened by itself."
        )
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    # This platform logs a warning for everything that needs a real screen.
    os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
    from ldam_studio.engine.state import snapshot
    from ldam_studio.export.exporting import export
    from ldam_studio.export.shown import Shown
    from ldam_studio.gui.app.application import make_application, opening_of
    from ldam_studio.gui.app.interrupt import Interrupt
    from ldam_studio.gui.session.openings import start as ten_digits
    from ldam_studio.gui.stragglers import STRAGGLERS
    from ldam_studio.gui.window.window import StudioWindow

    print(f"{why[0].upper()}{why[1:]}: running the opening session without a window.", flush=True)
    app = make_application()
    window = StudioWindow(start.device)
    window.resize(*SIZE)
    problems: list[str] = []
    window.controller.said.connect(
        lambda text, kind: problems.append(text) if kind == "danger" else None
    )
    opening = opening_of(start) or ten_digits(start.device, start.data)
    if opening.trusted is not None:
        window.close()
        raise StudioError(
            f"{start.file or 'The link'} needs what is read or run only with your leave, "
            f"{(opening.code or opening.files)[0]}; if you trust it, use ldam-studio replay, or "
            "open it on a machine with a display."
        )
    window.open(replace(opening, preset=start.preset))
    window.show()

    def leave() -> None:
        app.exit(0)  # quit() would close the window, and the session with it

    window.first_frame.connect(lambda: QTimer.singleShot(round(start.seconds * 1000), leave))
    window.controller.said.connect(lambda _text, kind: leave() if kind == "danger" else None)
    QTimer.singleShot(LONGEST_START_MS, leave)
    folder = start.out
    try:
        with Interrupt(window, window.closing.at_once):
            app.exec()
        future = window.controller.ask(snapshot)
        if future is None:
            raise StudioError(problems[0] if problems else "The opening session did not start.")
        state = future.result(5.0)
        model = window.model
        averages = Shown("averages", display=model.display.mode, scale=model.display.scale, zoom=4)
        saved = export(state, averages, folder / "average.png").path
        screenshot = folder / "screenshot.png"
        window.tick()
        if not window.grab().save(str(screenshot)):
            raise StudioError(f"{screenshot} cannot be written; choose another folder.")
    finally:
        window.close()
        # Qt ends the process when a running thread is deleted, so all threads have to end first.
        for thread in tuple(STRAGGLERS):
            thread.wait(LONGEST_END_MS)
    print(f"Averages at step {state.step}: {saved}")
    print(f"Screenshot of the window: {screenshot}")
    print("On a machine with a display the same command opens the window.")
    return 0
