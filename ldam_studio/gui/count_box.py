"""A field for a number of things, whose unit is singular where the number is one."""

from __future__ import annotations

from PyQt6.QtWidgets import QSpinBox, QWidget

from ldam_studio.gui.quiet_wheel import leave_wheel


class CountBox(QSpinBox):
    """A number followed by "step" or "steps", or by another word."""

    def __init__(self, what: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._what = what
        self.setKeyboardTracking(False)
        leave_wheel(self)
        self.valueChanged.connect(self._name)
        self._name()

    def count(self, what: str) -> None:
        """Set what is counted, in the singular."""
        self._what = what
        self._name()

    def show_value(self, value: int) -> None:
        """Show a number without emitting it."""
        self.blockSignals(True)
        self.setValue(value)
        self.blockSignals(False)
        self._name()

    def _name(self) -> None:
        self.setSuffix(f" {self._what}{'' if self.value() == 1 else 's'}" if self._what else "")
