"""A label with a value, whose name and value a screen reader says."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QWidget


class NamedLabel(QLabel):
    """A value that stands beside its name, or without one.

    A screen reader says the accessible name of a label in place of its text, so that here holds
    both.
    """

    def __init__(self, name: str, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str | None) -> None:
        """Show a value."""
        super().setText(text)
        self.setAccessibleName(f"{self._name}: {text}" if text else self._name)
