"""The import that a discriminator needs before it can learn; it runs beside the session."""

from __future__ import annotations

from importlib import import_module

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.gui.task import Task

NEEDED = "torch._dynamo"  # the first optimiser imports it, which takes seconds


class LearningNeeds(QObject):
    """Imports what learning needs, on a thread of its own, when it is first asked for."""

    met = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.are_met = False
        self._task: Task | None = None

    def ask(self) -> None:
        """Start the import, unless it has been started; returns at once."""
        if self.are_met or self._task is not None:
            return
        self._task = Task(lambda _task: import_module(NEEDED))
        self._task.setObjectName("learning-needs")
        self._task.done.connect(self._on_end)
        self._task.failed.connect(self._on_end)  # as the first lesson will say
        self._task.start()

    def leave(self) -> None:
        """Abandon the import: its end is not reported. Returns at once."""
        if self._task is not None:
            self._task.leave()
            self._task = None

    def _on_end(self, _what: object) -> None:
        self.leave()
        self.are_met = True
        self.met.emit()
