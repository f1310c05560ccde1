"""Runs a training in a process of its own; both sides send lines of text to each other."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QObject, QProcess

from ldam_studio.engine.watching import process
from ldam_studio.gui.child_process import ChildProcess

LAST_WORDS_MS = 2000  # time to write a last checkpoint before the process is killed
PATIENCE_MS = 500  # longest wait for the process when the window closes


class Trainer(ChildProcess):
    """Runs a training; `told` carries its `process.Status`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("The training could not be started", LAST_WORDS_MS, PATIENCE_MS, parent)
        self.status: process.Status | None = None
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.ForwardedErrorChannel)

    def start(
        self,
        folder: Path,
        data: Path | None = None,
        *,
        resume: bool = False,
        learning_rate: float | None = None,
    ) -> None:
        """Start a training that writes its checkpoints to a folder; see `process.command`."""
        self.run(process.command(folder, data=data, resume=resume, learning_rate=learning_rate))

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
        self._process.finished.connect(self.deleteLater)
        self.end()

    def read_line(self, line: bytes) -> None:
        """Tell the status that the training says."""
        status = process.Status.of(line)
        if status is not None:
            self.status = status
            self.told.emit(status)

    def sentence(self, code: int, *, killed: bool) -> str:
        """Return why the training ended."""
        return process.ended(-code if killed else code, self.status)
