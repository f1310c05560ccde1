"""A slider that is dragged from anywhere, turned by the wheel and reset by a double click."""

from __future__ import annotations

from PyQt6.QtCore import QRect, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PyQt6.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QWidget

from ldam_studio.gui.settings.scale import STEPS


class AnnealSlider(QSlider):
    """A horizontal slider with :data:`~ldam_studio.gui.settings.scale.STEPS` positions.

    A press moves the handle to the pointer at once, so that one gesture is enough to follow the
    picture. The mouse does not give it the focus: the keys of the canvas go on working.
    """

    turned = pyqtSignal(float)  # notches of the wheel, up is positive
    reset = pyqtSignal()
    grabbed = pyqtSignal()
    grabbed_again = pyqtSignal()  # by the second click of two
    released = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(0, STEPS)
        self.setSingleStep(STEPS // 100)
        self.setPageStep(STEPS // 10)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._held_at = 0.0  # pixels between the handle's middle and the pointer

    def show_position(self, position: int) -> None:
        """Move the handle without telling anybody."""
        if position == self.value() or self.isSliderDown():
            return
        self.blockSignals(True)
        self.setValue(position)
        self.blockSignals(False)

    def show_lane(self, lane: str) -> None:
        """Take the colour of a lane that is set alone, "B"; any other text is the usual one."""
        if lane != self.property("lane"):
            self.setProperty("lane", lane)
            self.style().unpolish(self)
            self.style().polish(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the handle to the pointer."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        event.accept()
        self.grabbed.emit()
        self.setSliderDown(True)
        x = event.position().x()
        handle = self._handle()
        on_handle = handle.left() <= x <= handle.right() + 1
        # Taken at its edge, the handle stays where it is and follows from there.
        self._held_at = x - handle.center().x() if on_handle else 0.0
        if not on_handle:
            self.setValue(self._position_at(x))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        event.accept()
        if self.isSliderDown():
            self.setValue(self._position_at(event.position().x() - self._held_at))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        event.accept()
        if self.isSliderDown():
            self.setSliderDown(False)
            self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go back to the default."""
        event.accept()
        self.setSliderDown(False)
        self.grabbed_again.emit()
        self.reset.emit()
        self.released.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn the value, not the panel that the slider lies in."""
        event.accept()
        notches = event.angleDelta().y() / 120
        if notches:
            self.turned.emit(notches)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Reset on Backspace and Delete; else as every slider."""
        if event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self.reset.emit()
        else:
            super().keyPressEvent(event)

    def _position_at(self, x: float) -> int:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style = self.style()
        groove = style.subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderGroove, self
        )
        handle = self._handle().width()
        return QStyle.sliderValueFromPosition(
            self.minimum(),
            self.maximum(),
            round(x - groove.left() - handle / 2),
            groove.width() - handle,
        )

    def _handle(self) -> QRect:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_SliderHandle
        return self.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, part, self)
