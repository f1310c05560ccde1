"""The pins as a list for Qt's views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, pyqtSignal

from ldam_studio.gui.filmstrip import words
from ldam_studio.gui.theme.paint import qimage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PyQt6.QtGui import QImage

    from ldam_studio.export.filmstrip.folder import Kept
    from ldam_studio.export.filmstrip.pins import Pin

Role = Qt.ItemDataRole
PIN, IMAGE, GOING_BACK = Role.UserRole, Role.UserRole + 1, Role.UserRole + 2
_ROOT = QModelIndex()


class Pins(QAbstractListModel):
    """One row for each pin, in the order of the filmstrip."""

    edited = pyqtSignal(object, str)  # all pins before, and what was done here, for the Edit menu

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[Pin, QImage]] = []
        self._going_back = ""

    @property
    def pins(self) -> tuple[Pin, ...]:
        """All pins."""
        return tuple(pin for pin, _ in self._rows)

    def pin_at(self, index: QModelIndex) -> Pin | None:
        """Return the pin at a place, None if there is none."""
        return self._rows[index.row()][0] if index.isValid() else None

    def row_of(self, pin: Pin) -> int | None:
        """Return the row of a pin, which may have another note by now; None if it is gone."""
        return next((row for row, (each, _) in enumerate(self._rows) if each.id == pin.id), None)

    def clear(self) -> None:
        """Show no pins."""
        self.beginResetModel()
        self._rows, self._going_back = [], ""
        self.endResetModel()

    def insert(self, row: int, kept: Iterable[Kept]) -> None:
        """Insert pins before a row."""
        rows = [(each.pin, qimage(each.picture)) for each in kept]
        if rows:
            self.beginInsertRows(_ROOT, row, row + len(rows) - 1)
            self._rows[row:row] = rows
            self.endInsertRows()

    def take(self, row: int) -> tuple[Pin, QImage]:
        """Remove a pin; `put` brings it back."""
        self.beginRemoveRows(_ROOT, row, row)
        found = self._rows.pop(row)
        self.endRemoveRows()
        return found

    def put(self, row: int, taken: tuple[Pin, QImage]) -> None:
        """Put a pin back that was taken, before a row."""
        row = min(row, len(self._rows))
        self.beginInsertRows(_ROOT, row, row)
        self._rows.insert(row, taken)
        self.endInsertRows()

    def arrange(self, pins: Iterable[Pin]) -> None:
        """Give the pins the order, notes and stars that they had.

        What was pinned since comes last; what was deleted since stays away.
        """
        images = {pin.id: image for pin, image in self._rows}
        then = [pin for pin in pins if pin.id in images]
        known = {pin.id for pin in then}
        since = [pin for pin in self.pins if pin.id not in known]
        self.beginResetModel()
        self._rows = [(pin, images[pin.id]) for pin in (*then, *since)]
        self.endResetModel()

    def mark_going_back(self, pin: Pin | None) -> None:
        """Say that the session is about to go back to a pin; None for to no one."""
        before, self._going_back = self._going_back, "" if pin is None else pin.id
        for row, (each, _) in enumerate(self._rows):
            if each.id in (before, self._going_back):
                self.dataChanged.emit(self.index(row), self.index(row))

    def is_going_back(self, pin: Pin) -> bool:
        """Return whether the session is about to go back to a pin."""
        return pin.id == self._going_back

    def shift(self, row: int, by: int) -> None:
        """Move a pin one place to the left (-1) or to the right (1), where there is one."""
        to, before = row + by, self.pins
        if not 0 <= to < len(self._rows):
            return
        self.beginMoveRows(_ROOT, row, row, _ROOT, to + (by > 0))
        self._rows.insert(to, self._rows.pop(row))
        self.endMoveRows()
        self.edited.emit(before, words.MOVE)

    def star(self, row: int) -> None:
        """Give a pin a star, or take it away."""
        pin = self._rows[row][0]
        self._replace(row, pin.with_star(not pin.star), words.UNSTAR if pin.star else words.STAR)

    def _replace(self, row: int, pin: Pin, text: str) -> None:
        before, image = self.pins, self._rows[row][1]
        if pin != before[row]:
            self._rows[row] = (pin, image)
            self.dataChanged.emit(self.index(row), self.index(row))
            self.edited.emit(before, text)

    # Qt's interface

    def rowCount(self, parent: QModelIndex = _ROOT) -> int:
        """Return the number of pins."""
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Say that notes can be edited."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        """Return a pin, its picture, or words about it."""
        if not index.isValid():
            return None
        pin, image = self._rows[index.row()]
        match role:
            case _ if role == PIN:
                return pin
            case _ if role == IMAGE:
                return image
            case _ if role == GOING_BACK:
                return self.is_going_back(pin)
            case Role.EditRole:
                return pin.note
            case Role.DisplayRole:
                return pin.neuron
            case Role.AccessibleTextRole:
                return words.spoken(pin)
            case Role.ToolTipRole:
                return words.tip(pin)
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Role.EditRole) -> bool:
        """Change the note of a pin."""
        if role != Role.EditRole or not index.isValid():
            return False
        row = index.row()
        self._replace(row, self._rows[row][0].with_note(str(value)), words.NOTE)
        return True
