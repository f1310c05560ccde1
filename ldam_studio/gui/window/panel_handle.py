"""A narrow bar at the edge of the window that shows a hidden panel again."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ldam_studio.gui.theme import theme

MARGIN = 4


class PanelHandle(QAbstractButton):
    """A narrow button along an edge, with the panel's name."""

    def __init__(self, name: str, edge: Qt.Edge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edge = edge
        self.setText(name)
        self.setAccessibleName(f"Show {name.lower()}")
        self.setToolTip(f"Show {name.lower()}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        along, across = QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed
        self.setSizePolicy(*((across, along) if self._upright else (along, across)))

    @property
    def _upright(self) -> bool:
        return self._edge != Qt.Edge.BottomEdge

    def sizeHint(self) -> QSize:
        """Return the height of a line of text; it is the width of an upright handle."""
        thick = self.fontMetrics().height() + 2 * MARGIN
        return QSize(thick, 40) if self._upright else QSize(40, thick)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the name along the edge."""
        look = theme.current()
        painter = QPainter(self)
        lit = self.underMouse() or self.hasFocus()
        painter.fillRect(self.rect(), look.colour("raised" if lit else "background"))
        painter.setPen(look.colour("accent" if self.hasFocus() else "outline"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.setPen(look.colour("text" if lit else "muted"))
        area = QRect(0, 0, self.width(), self.height())
        if self._upright:
            painter.translate(self.width() / 2, self.height() / 2)
            painter.rotate(-90 if self._edge == Qt.Edge.LeftEdge else 90)
            area = QRect(-self.height() // 2, -self.width() // 2, self.height(), self.width())
        # Rotated together with the text, the arrow points to where the panel appears.
        arrow = "\u25be" if self._upright else "\u25b4"
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, f"{self.text()}  {arrow}")
        painter.end()
