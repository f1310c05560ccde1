"""The column at the right of the images, where panels are stacked and scroll together."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QSize, Qt
from PyQt6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from ldam_studio.gui.qt import present

EMPTY_WIDTH = 250  # pixels; about the width of the settings, so that nothing moves when they appear


class SideColumn(QScrollArea):
    """A scroll area with panels one below the other."""

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
        """Return the width of the panels plus that of the scroll bar, which would cover rows."""
        if self._column.count() == 1:
            return QSize(EMPTY_WIDTH, 160)
        bar = present(self.verticalScrollBar()).sizeHint().width()
        return QSize(self._body.minimumSizeHint().width() + bar, 160)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Update the size when a row is added or grows."""
        if present(event).type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
