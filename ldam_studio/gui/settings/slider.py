"""A slider that the wheel turns and a double click resets; it can be dragged from any point."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PyQt6.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QWidget

from ldam_studio.gui.qt import present, restyle
from ldam_studio.gui.settings.scale import STEPS
from ldam_studio.gui.theme import theme


class AnnealSlider(QSlider):
    """A horizontal slider with `STEPS` positions.

    Pressing the mouse button moves the handle to the pointer at once. A click does not move the
    keyboard focus here, so that the shortcuts of the canvas continue to work.
    """

    turned = pyqtSignal(float)  # notches of the wheel; up is positive
    reset = pyqtSignal()  # restore the value at the start of the session
    grabbed = pyqtSignal()  # a drag begins
    grabbed_again = pyqtSignal()  # the second press of a double click continues the drag
    released = pyqtSignal()  # the drag ends

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(0, STEPS)
        self.setSingleStep(STEPS // 100)
        self.setPageStep(STEPS // 10)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._held_at = 0.0  # pixels from the middle of the handle to the pointer
        self.mark: int | None = None

    def show_position(self, position: int) -> None:
        """Move the handle without emitting a signal."""
        if position == self.value() or self.isSliderDown():
            return
        self.blockSignals(True)
        self.setValue(position)
        self.blockSignals(False)

    def show_mark(self, position: int | None) -> None:
        """Mark a position beside that of the handle; None marks none."""
        if position != self.mark:
            self.mark = position
            self.update()

    def show_lane(self, lane: str) -> None:
        """Use the colour of the lane that the slider changes: that of "B", or the usual one."""
        if lane != self.property("lane"):
            self.setProperty("lane", lane)
            restyle(self)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Move the handle to the pointer."""
        event = present(event)
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        self.grabbed.emit()
        self.setSliderDown(True)
        x = event.position().x()
        handle = self._handle()
        on_handle = handle.left() <= x <= handle.right() + 1
        # If the handle is pressed off its centre, it keeps this distance from the pointer.
        self._held_at = x - handle.center().x() if on_handle else 0.0
        if not on_handle:
            self.setValue(self._position_at(x))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Follow the pointer."""
        event = present(event)
        event.accept()
        if self.isSliderDown():
            self.setValue(self._position_at(event.position().x() - self._held_at))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Release the handle."""
        present(event).accept()
        if self.isSliderDown():
            self.setSliderDown(False)
            self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Reset the value."""
        present(event).accept()
        self.setSliderDown(False)
        self.grabbed_again.emit()
        self.reset.emit()
        self.released.emit()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Turn the value if the slider has the focus; else the panel around it scrolls."""
        event = present(event)
        if not self.hasFocus():
            event.ignore()
            return
        event.accept()
        notches = event.angleDelta().y() / 120
        if notches:
            self.turned.emit(notches)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Reset the value on Backspace and Delete; all other keys move the slider."""
        if present(event).key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self.reset.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the slider, and the mark on its groove."""
        super().paintEvent(event)
        if self.mark is None:
            return
        groove, handle = self._part(QStyle.SubControl.SC_SliderGroove), self._handle()
        room = groove.width() - handle.width()
        at = QStyle.sliderPositionFromValue(self.minimum(), self.maximum(), self.mark, room)
        x, y = groove.left() + at + handle.width() / 2, groove.center().y() + 0.5
        if abs(x - handle.center().x()) <= handle.width() / 2:
            return  # the handle is there
        painter = QPainter(self)
        painter.fillRect(QRectF(x - 1.5, y - 6, 3, 12), theme.current().colour("text"))
        painter.end()

    def _position_at(self, x: float) -> int:
        groove = self._part(QStyle.SubControl.SC_SliderGroove)
        handle = self._handle().width()
        return QStyle.sliderValueFromPosition(
            self.minimum(),
            self.maximum(),
            round(x - groove.left() - handle / 2),
            groove.width() - handle,
        )

    def _handle(self) -> QRect:
        return self._part(QStyle.SubControl.SC_SliderHandle)

    def _part(self, part: QStyle.SubControl) -> QRect:
        option, slider = QStyleOptionSlider(), QStyle.ComplexControl.CC_Slider
        self.initStyleOption(option)
        return present(self.style()).subControlRect(slider, option, part, self)
