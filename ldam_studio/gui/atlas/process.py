"""The process that draws an atlas: it is told nothing but to end, and says how far it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from PyQt6.QtCore import QObject, QProcess, QTimer, pyqtSignal

from ldam_studio.atlas.command import Progress, program

LAST_WORDS_MS = 5000  # time to take batches back before the process is killed
PATIENCE_MS = 1500  # longest wait for the process when the window closes
PREFIX = "ldam-studio: "
MOST_LETTERS = 1000


class DrawingProcess(QObject):
    """Starts the command in a process of its own, emits how far it is, and ends it.

    `ended` is emitted exactly once, with a sentence if the process failed. If the studio is killed,
    the system closes the pipe to the process, which then ends, too; its workers end with it.
    """

    told = pyqtSignal(object)  # Progress
    ended = pyqtSignal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.report: dict[str, object] = {}
        self._over = self._asked_to_stop = False
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(LAST_WORDS_MS)
        self._patience.timeout.connect(self._process.kill)

    def start(self, flags: Sequence[str]) -> None:
        """Start the command with flags."""
        first, *others = program()
        self._process.start(first, [*others, *flags])

    @property
    def pid(self) -> int:
        """The id of the process; 0 if there is none."""
        return int(self._process.processId() or 0)

    def stop(self) -> None:
        """Ask the process to end; returns at once."""
        self._asked_to_stop = True
        self._process.closeWriteChannel()
        self._patience.start()

    def wait(self) -> None:
        """Wait until the process has ended, or kill it."""
        self._patience.stop()
        running = self._process.state() != QProcess.ProcessState.NotRunning
        if running and not self._process.waitForFinished(PATIENCE_MS):
            self._process.kill()
            self._process.waitForFinished(PATIENCE_MS)

    def _read(self) -> None:
        while self._process.canReadLine():
            line = self._process.readLine().data()
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

    def _on_finished(self, code: int, how: QProcess.ExitStatus) -> None:
        self._read()
        crashed = how is QProcess.ExitStatus.CrashExit
        if self._asked_to_stop or (code in (0, 1) and self.report and not crashed):
            self._end("")
        else:
            said = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
            lines = [line for line in said.splitlines() if line.startswith(PREFIX)]
            last = lines[-1].removeprefix(PREFIX)[:MOST_LETTERS] if lines and not crashed else ""
            how_ended = "was killed" if crashed else f"ended with code {code}"
            usual = f"The process that draws the atlas {how_ended}; draw again, and it goes on."
            self._end(last or usual)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._end(
                f"The atlas cannot be drawn, since no process was started "
                f"({self._process.errorString()}); check that {sys.executable} can be run."
            )

    def _end(self, sentence: str) -> None:
        self._patience.stop()
        if not self._over:
            self._over = True
            self.ended.emit(sentence)
