"""The slim bar of a presentation: running, melting, the main settings, and the way out."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget


class PresentationBar(QFrame):
    """Buttons at both ends, and between them what features add."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("presentation-bar")
        self.setAccessibleName("Presentation")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(16, 4, 16, 8)
        self._row.setSpacing(12)
        self.hide()

    def fill(self, first: Sequence[QAction], last: QAction) -> None:
        """Add buttons for some actions at the left, and for the way out at the right."""
        for at, action in enumerate(first):
            self._row.insertWidget(at, _button(action))
        self._row.addWidget(_button(last))

    def add(self, widget: QWidget) -> None:
        """Add a widget between the buttons; it takes the width that is left."""
        self._row.insertWidget(self._row.count() - 1, widget, 1)


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    # A click leaves the keyboard to the images.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
