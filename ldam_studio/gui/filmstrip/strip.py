"""The pins side by side; what is done with the mouse and the keys becomes signals."""

from __future__ import annotations

from PyQt6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QListView,
    QStyleOptionViewItem,
)

from ldam_studio.gui.filmstrip.card import CardPainter
from ldam_studio.gui.filmstrip.model import Pins
from ldam_studio.gui.qt import ENTER, present

Key, Modifier = Qt.Key, Qt.KeyboardModifier


class Strip(QListView):
    """A click restores a pin, unless it becomes a double click, which compares it."""

    asked = pyqtSignal(str, QModelIndex)  # "restore", "compare", "delete", "drag"
    menu = pyqtSignal(QModelIndex, QPoint)  # and where on the screen

    def __init__(self, pins: Pins) -> None:
        super().__init__()
        self._pins = pins
        self.setAccessibleName("Filmstrip")
        self.setModel(pins)
        self._painter = CardPainter(self)
        self.setItemDelegate(self._painter)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setAutoScroll(False)  # else a click would move what it is on
        self._pressed = QPersistentModelIndex()
        self._pressed_at = QPoint()
        self._is_click = False
        self._click = QTimer(self)
        self._click.setSingleShot(True)
        self._click.timeout.connect(self._restore)

    def choose(self, row: int) -> None:
        """Choose the pin in a row and scroll to it."""
        index = self._pins.index(min(row, self._pins.rowCount() - 1))
        self.setCurrentIndex(index)
        if index.isValid():
            self.scrollTo(index)

    def part_at(self, where: QPoint) -> tuple[QModelIndex, str]:
        """Return the pin at a place, and its part there: "star", "note" or ""."""
        index = self.indexAt(where)
        if not index.isValid():
            return index, ""
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        option.rect = self.visualRect(index)
        parts = self._painter.place(option, index)
        if parts.star.adjusted(-4, -4, 4, 4).contains(where):
            return index, "star"
        return index, "note" if parts.note.contains(where) else ""

    def _await(self, index: QModelIndex) -> None:
        """Restore a pin if no second click comes; say so at once."""
        self._click.start(QApplication.doubleClickInterval())
        self._pins.mark_going_back(self._pins.pin_at(index))

    def _stay(self) -> None:
        """Restore nothing after all."""
        if self._click.isActive():
            self._click.stop()
            self._pins.mark_going_back(None)

    def _restore(self) -> None:
        if self._pressed.isValid():
            index = QModelIndex(self._pressed)
            self.scrollTo(index)
            self.asked.emit("restore", index)

    # Events

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose the pin under the pointer."""
        event = present(event)
        self._stay()
        super().mousePressEvent(event)
        self._is_click = event.button() == Qt.MouseButton.LeftButton
        self._pressed_at = event.pos()
        self._pressed = QPersistentModelIndex(self.indexAt(event.pos()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Drag the pin on which the button was pressed."""
        event = present(event)
        if not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        far = (event.pos() - self._pressed_at).manhattanLength()
        if self._is_click and self._pressed.isValid() and far >= QApplication.startDragDistance():
            self._is_click = False
            self.asked.emit("drag", QModelIndex(self._pressed))

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Toggle a star, edit a note, or restore a pin if no second click comes."""
        event = present(event)
        super().mouseReleaseEvent(event)
        if not self._is_click or event.button() != Qt.MouseButton.LeftButton:
            return
        self._is_click = False
        index, part = self.part_at(event.pos())
        if not index.isValid() or index != QModelIndex(self._pressed):
            return
        if part == "star":
            self._pins.star(index.row())
        elif part == "note":
            self.edit(index)
        else:
            self._await(index)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Compare the pin under the pointer."""
        event = present(event)
        self._stay()
        self._is_click = False
        index, part = self.part_at(event.pos())
        if part == "star":
            self._pins.star(index.row())
        elif index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self.asked.emit("compare", index)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Do what a key asks with the chosen pin."""
        event, index = present(event), self.currentIndex()
        # The field of a note passes on the Enter that ends it.
        editing = self.state() is QAbstractItemView.State.EditingState
        if editing or not index.isValid() or not self._obeys(event, index):
            super().keyPressEvent(event)
            if self.currentIndex() != index:
                self.scrollTo(self.currentIndex())

    def _obeys(self, event: QKeyEvent, index: QModelIndex) -> bool:
        key, held = event.key(), event.modifiers() & ~Modifier.KeypadModifier
        if key in ENTER and held in (Modifier.NoModifier, Modifier.ShiftModifier):
            self.asked.emit("compare" if held else "restore", index)
        elif key == Key.Key_Delete and not held:
            self.asked.emit("delete", index)
        elif key == Key.Key_S and not held:
            self._pins.star(index.row())
        elif key in (Key.Key_Left, Key.Key_Right) and held == Modifier.AltModifier:
            self._pins.shift(index.row(), -1 if key == Key.Key_Left else 1)
            self.choose(self.currentIndex().row())
        else:
            return False
        return True

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        """Ask for the menu of the pin under the pointer, or of the chosen one."""
        event = present(event)
        self._stay()
        index = self.indexAt(event.pos())
        index = index if index.isValid() else self.currentIndex()
        if index.isValid():
            self.setCurrentIndex(index)
            self.menu.emit(index, event.globalPos())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Give the cards their new height."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()
