"""Imports, in the background, the module that a discriminator needs before it can learn."""

from __future__ import annotations

from importlib import import_module

from PyQt6.QtCore import QObject, pyqtSignal

from ldam_studio.gui.task import Task

NEEDED = "torch._dynamo"  # imported by the first optimiser, which takes seconds


class LearningNeeds(QObject):
    """Imports the module for learning on a thread of its own, when it is first needed."""

    met = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.are_met = False
        self._task: Task | None = None

    def ask(self) -> None:
        """Start the import, unless it has started already; returns at once."""
        if self.are_met or self._task is not None:
            return
        self._task = Task(lambda _task: import_module(NEEDED))
        self._task.setObjectName("learning-needs")
        self._task.done.connect(self._on_end)
        self._task.failed.connect(self._on_end)  # the first lesson will report the error
        self._task.start()

    def leave(self) -> None:
        """Abandon the import, so that `met` is not emitted; returns at once."""
        if self._task is not None:
            self._task.leave()
            self._task = None

    def _on_end(self, _what: object) -> None:
        self.leave()
        self.are_met = True
        self.met.emit()
