"""Runs a training in a process of its own; both sides send lines of text to each other."""

from __future__ import annotations

import sys
from pathlib import Path

from PyQt6.QtCore import QObject, QProcess, QTimer, pyqtSignal

from ldam_studio.engine.watching import process

LAST_WORDS_MS = 2000  # time to write a last checkpoint before the process is killed
PATIENCE_MS = 500  # longest wait for the process when the window closes


class Trainer(QObject):
    """Starts a training, emits its status, and ends it.

    `ended` is emitted exactly once, whatever happens to the process. It carries a sentence if the
    process ended unexpectedly, else an empty text.
    """

    told = pyqtSignal(object)  # process.Status
    ended = pyqtSignal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.status: process.Status | None = None
        self._asked_to_stop = False
        self._over = False
        self._process = QProcess(self)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.ForwardedErrorChannel)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(LAST_WORDS_MS)
        self._patience.timeout.connect(self._process.kill)

    def start(
        self,
        folder: Path,
        data: Path | None = None,
        *,
        resume: bool = False,
        learning_rate: float | None = None,
    ) -> None:
        """Start a training that writes its checkpoints to a folder; see `process.command`."""
        program, *arguments = process.command(
            folder, data=data, resume=resume, learning_rate=learning_rate
        )
        self._process.start(program, arguments)

    @property
    def is_over(self) -> bool:
        """Whether the process has ended."""
        return self._over

    @property
    def pid(self) -> int:
        """The id of the process; 0 if there is none."""
        return int(self._process.processId() or 0)

    def send(self, line: bytes) -> None:
        """Send a line to the training, unless it has ended."""
        if not self._over:
            self._process.write(line)

    def stop(self) -> None:
        """Ask the training to write a last checkpoint and end; returns at once."""
        self._asked_to_stop = True
        self.send(process.stop())

    def leave(self) -> None:
        """Abandon the process: it ends by itself or is killed, and its results are ignored."""
        self.blockSignals(True)
        if self._process.state() == QProcess.ProcessState.NotRunning:
            self.deleteLater()
            return
        self.stop()
        self._process.closeWriteChannel()
        self._process.finished.connect(self.deleteLater)
        self._patience.start()

    def wait(self) -> None:
        """Wait until the process has ended, or kill it; no checkpoint is left incomplete."""
        self._patience.stop()
        running = self._process.state() != QProcess.ProcessState.NotRunning
        if running and not self._process.waitForFinished(PATIENCE_MS):
            self._process.kill()
            self._process.waitForFinished(PATIENCE_MS)

    def _read(self) -> None:
        while self._process.canReadLine():
            status = process.Status.of(self._process.readLine().data())
            if status is not None:
                self.status = status
                self.told.emit(status)

    def _on_finished(self, code: int, how: QProcess.ExitStatus) -> None:
        self._read()
        killed = how is QProcess.ExitStatus.CrashExit
        self._end(process.ended(-code if killed else code, self.status))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._end(
                f"The training could not be started ({self._process.errorString()}); check that "
                f"{sys.executable} can be run."
            )

    def _end(self, sentence: str) -> None:
        if not self._over:
            self._over = True
            self.ended.emit("" if self._asked_to_stop else sentence)
