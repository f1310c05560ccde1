"""A list to choose from that does not take the wheel from the panel around it."""

from __future__ import annotations

from PyQt6.QtWidgets import QComboBox, QWidget

from ldam_studio.gui.quiet_wheel import leave_wheel


class QuietCombo(QComboBox):
    """A list that a click opens and the arrow keys change, but not the wheel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        leave_wheel(self)
