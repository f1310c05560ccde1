"""The process that draws an atlas: it is told nothing but to end, and says how far it is."""

from __future__ import annotations

import json
from collections.abc import Sequence

from PyQt6.QtCore import QObject

from ldam_studio.atlas.command import Progress, program
from ldam_studio.gui.child_process import ChildProcess

LAST_WORDS_MS = 5000  # time to take batches back before the process is killed
PATIENCE_MS = 1500  # longest wait for the process when the window closes
PREFIX = "ldam-studio: "
MOST_LETTERS = 1000


class DrawingProcess(ChildProcess):
    """Runs the command; `told` carries a `Progress`. Its workers end with it."""

    def __init__(self, parent: QObject | None = None) -> None:
        failure = "The atlas cannot be drawn, since no process was started"
        super().__init__(failure, LAST_WORDS_MS, PATIENCE_MS, parent)
        self.report: dict[str, object] = {}

    def start(self, flags: Sequence[str]) -> None:
        """Start the command with flags."""
        self.run([*program(), *flags])

    def read_line(self, line: bytes) -> None:
        """Tell how far it is, or keep its report."""
        progress = Progress.of(line)
        if progress is not None:
            self.told.emit(progress)
        else:
            self._note_report(line)

    def _note_report(self, line: bytes) -> None:
        try:
            found = json.loads(line)
        except ValueError:
            return
        if isinstance(found, dict):
            self.report = found

    def sentence(self, code: int, *, killed: bool) -> str:
        """Return what went wrong, in the words of the process if it said something."""
        if code in (0, 1) and self.report and not killed:
            return ""
        said = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        lines = [line for line in said.splitlines() if line.startswith(PREFIX)]
        last = lines[-1].removeprefix(PREFIX)[:MOST_LETTERS] if lines and not killed else ""
        how_ended = "was killed" if killed else f"ended with code {code}"
        usual = f"The process that draws the atlas {how_ended}; draw again, and it goes on."
        return last or usual
