"""A field for a number."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent
from PyQt6.QtWidgets import QLineEdit, QSizePolicy, QWidget

from ldam_studio.gui.qt import present

_AWAY = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)


def width_in(metrics: QFontMetrics) -> int:
    """Return the width in pixels of a field for seven characters."""
    return metrics.horizontalAdvance("0.00000") + 18


class NumberField(QLineEdit):
    """A field whose text is accepted on Return or when it loses the focus; Escape restores it."""

    cancelled = pyqtSignal()
    left = pyqtSignal()  # the focus went to another widget, not to another window

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a width for seven characters of the present font, which presentations enlarge."""
        return QSize(width_in(self.fontMetrics()), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return the same size: numbers are never cut off."""
        return self.sizeHint()

    def changeEvent(self, event: QEvent | None) -> None:
        """Ask for another width with another font."""
        super().changeEvent(event)
        if present(event).type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.updateGeometry()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Emit `left` after the text was accepted or rejected."""
        super().focusOutEvent(event)
        if present(event).reason() not in _AWAY:
            self.left.emit()

    def event(self, event: QEvent | None) -> bool:
        """Leave the shortcuts for undo to the window, unless the text is being edited."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and self._is_for_window(event)
        ):
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Restore the text on Escape; all other keys edit it."""
        event = present(event)
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif self._is_for_window(event):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _is_for_window(self, event: QKeyEvent) -> bool:
        keys = Qt.KeyboardModifier
        undoes = event.key() == Qt.Key.Key_Z and event.modifiers() in (
            keys.ControlModifier,
            keys.ControlModifier | keys.ShiftModifier,
        )
        return undoes and not self.isModified()
