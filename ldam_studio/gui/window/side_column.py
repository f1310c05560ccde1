"""The column beside the images in which panels stand below each other and scroll together."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QSize, Qt
from PyQt6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from ldam_studio.gui.qt import present

EMPTY_WIDTH = 250  # pixels; about what the settings will need, so that nothing jumps when they come


class SideColumn(QScrollArea):
    """Takes panels one after the other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("controls")
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._body = QWidget()
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(14, 10, 14, 10)
        self._column.setSpacing(8)
        self._column.addStretch(1)
        self.setWidget(self._body)

    def add(self, panel: QWidget, *, first: bool = False) -> None:
        """Add a panel below the others, or above them."""
        self._column.insertWidget(0 if first else self._column.count() - 1, panel)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """Leave room for the scroll bar: rows that it covered would be cut off."""
        if self._column.count() == 1:
            return QSize(EMPTY_WIDTH, 160)
        bar = present(self.verticalScrollBar()).sizeHint().width()
        return QSize(self._body.minimumSizeHint().width() + bar, 160)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Ask for more room when a row comes or grows."""
        if present(event).type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
