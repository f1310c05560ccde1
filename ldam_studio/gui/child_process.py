"""A process of its own that says lines, and ends when its standard input is closed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from PyQt6.QtCore import QObject, QProcess, QTimer, pyqtSignal


class ChildProcess(QObject):
    """Starts a program, hands over what it says, and ends it.

    `ended` is emitted exactly once, whatever happens to the process, with a sentence if it failed.
    If the studio is killed, the system closes the pipe to the process, which is to end then, too.

    Parameters
    ----------
    failure
        What the sentence says if the process cannot be started, such as "No atlas can be drawn".
    last_words_ms
        Time in which it may end by itself once its input is closed, before it is killed.
    patience_ms
        Longest time that `wait` waits before it kills the process.
    """

    told = pyqtSignal(object)
    ended = pyqtSignal(str)

    def __init__(
        self, failure: str, last_words_ms: int, patience_ms: int, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._failure, self._patience_ms = failure, patience_ms
        self._over = self._asked_to_stop = False
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(last_words_ms)
        self._patience.timeout.connect(self._process.kill)

    def run(self, words: Sequence[str]) -> None:
        """Start a program with its arguments."""
        program, *arguments = words
        self._process.start(program, arguments)

    @property
    def is_over(self) -> bool:
        """Whether the process has ended."""
        return self._over

    @property
    def pid(self) -> int:
        """The id of the process; 0 if there is none."""
        return int(self._process.processId() or 0)

    def end(self) -> None:
        """Close the input of the process, and kill it if it does not end; returns at once."""
        self._asked_to_stop = True
        self._process.closeWriteChannel()
        self._patience.start()

    def wait(self) -> None:
        """Wait until the process has ended, or kill it."""
        self._patience.stop()
        running = self._process.state() != QProcess.ProcessState.NotRunning
        if running and not self._process.waitForFinished(self._patience_ms):
            self._process.kill()
            self._process.waitForFinished(self._patience_ms)

    def read_line(self, line: bytes) -> None:
        """Take a line that the process says."""
        raise NotImplementedError

    def sentence(self, code: int, *, killed: bool) -> str:
        """Return why the process ended; empty if it did what it was asked for."""
        raise NotImplementedError

    def _read(self) -> None:
        while self._process.canReadLine():
            self.read_line(self._process.readLine().data())

    def _on_finished(self, code: int, how: QProcess.ExitStatus) -> None:
        self._read()
        killed = how is QProcess.ExitStatus.CrashExit
        self._end("" if self._asked_to_stop else self.sentence(code, killed=killed))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            why = self._process.errorString()
            self._end(f"{self._failure} ({why}); check that {sys.executable} can be run.")

    def _end(self, sentence: str) -> None:
        self._patience.stop()
        if not self._over:
            self._over = True
            self.ended.emit(sentence)
