"""A widget whose panes are zoomed with the wheel and dragged with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QPointF, QRect, Qt
from PyQt6.QtGui import QMouseEvent, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QWidget

from ldam_studio.gui.canvas.zoomed_panes import ZoomedPanes
from ldam_studio.gui.qt import present
from ldam_studio.gui.relaid import Relaid

if TYPE_CHECKING:
    from ldam_studio.gui.canvas.viewport import Viewport


class ZoomableWidget(Relaid, QWidget):
    """Handles the mouse: zoom and position of the image in its panes, which subclasses paint."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self._panes = ZoomedPanes(self)
        self._cursor: QPointF | None = None  # the pointer, while it is over the widget
        self._grip: QPointF | None = None  # the point by which the image is being dragged

    @property
    def view(self) -> Viewport:
        """The zoom and position of the image, shared by all panes."""
        return self._panes.view

    def fit(self) -> None:
        """Show the whole image, as large as possible."""
        self._panes.fit()
        self.update()

    def zoom_by(self, notches: int, at: QPointF | None = None) -> None:
        """Zoom about a point of the widget, by default the middle of the raw sample."""
        self._panes.zoom(notches, at)
        self.update()

    def image_rects(self) -> tuple[QRect, ...]:
        """Return the rectangles of the images, in device pixels."""
        layout = self._panes.layout
        return tuple(layout.image_in(pane) for pane in layout.panes)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Lay out again: fit the image to the new size, or keep the zoom."""
        super().resizeEvent(event)
        self.relayout()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom about the pointer."""
        event = present(event)
        event.accept()
        if event.angleDelta().y():
            self.zoom_by(1 if event.angleDelta().y() > 0 else -1, event.position())

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Begin to drag the image."""
        event = present(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Show the values under the pointer, or drag the image while the button is down."""
        event = present(event)
        self._cursor = event.position()
        if self._grip is not None and event.buttons() & Qt.MouseButton.LeftButton:
            if self._panes.drag(self._grip, event.position()):
                self._grip = event.position()
                self.update()
            return
        self._update_hover()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Stop dragging the image."""
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Fit the image."""
        self._grip = None
        self.fit()

    def leaveEvent(self, event: QEvent | None) -> None:
        """Stop showing pixel values."""
        self._cursor = None
        self._update_hover()

    def _hovered(self) -> tuple[int, int] | None:
        """Return the image pixel (x, y) under the pointer; None if there is none."""
        return None if self._cursor is None else self._panes.pixel_at(self._cursor)

    def _update_hover(self) -> None:
        for part in (*self._panes.panes, self._panes.readout):
            self.update(part)

    def relayout(self) -> None:
        """Lay out again for the size and look that the widget has now."""
        self._panes.lay_out()
        self.update()
