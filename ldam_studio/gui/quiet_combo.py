"""A list to choose from that does not take the wheel from the panel around it."""

from __future__ import annotations

from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QComboBox

from ldam_studio.gui.qt import present


class QuietCombo(QComboBox):
    """A list that ignores the wheel unless it has the focus, so that the panel can scroll."""

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Change the choice if the list has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            present(event).ignore()
