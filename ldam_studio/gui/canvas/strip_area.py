"""The strip of thumbnails in a scroll area."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QScrollArea, QWidget

from ldam_studio.gui.canvas.strip import Strip
from ldam_studio.gui.qt import present


class StripArea(QScrollArea):
    """Scrolls a strip that does not fit, and keeps the front chain visible."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strip = Strip()
        self.setWidget(self.strip)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(56)
        # Labels of columns stay at the top, so that the whole strip is painted anew.
        present(self.verticalScrollBar()).valueChanged.connect(self.strip.update)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Lay the thumbnails out for the visible part."""
        super().resizeEvent(event)
        self.strip.use_area(present(self.viewport()).size())

    def set_front(self, index: int) -> None:
        """Outline a chain and scroll to it."""
        self.strip.set_front(index)
        place = self.strip.front_rect()
        if not place.isEmpty():
            centre = place.center()
            self.ensureVisible(
                centre.x(), centre.y(), place.width() // 2 + 8, place.height() // 2 + 8
            )
