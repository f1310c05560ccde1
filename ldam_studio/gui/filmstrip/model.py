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
PIN, IMAGE = Role.UserRole, Role.UserRole + 1
_ROOT = QModelIndex()


class Pins(QAbstractListModel):
    """One row for each pin, in the order of the filmstrip."""

    edited = pyqtSignal()  # a note, a star or the order was changed here

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[Pin, QImage]] = []

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
        self._rows = []
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

    def shift(self, row: int, by: int) -> None:
        """Move a pin one place to the left (-1) or to the right (1), where there is one."""
        to = row + by
        if not 0 <= to < len(self._rows):
            return
        self.beginMoveRows(_ROOT, row, row, _ROOT, to + (by > 0))
        self._rows.insert(to, self._rows.pop(row))
        self.endMoveRows()
        self.edited.emit()

    def star(self, row: int) -> None:
        """Give a pin a star, or take it away."""
        self._replace(row, self._rows[row][0].with_star(not self._rows[row][0].star))

    def _replace(self, row: int, pin: Pin) -> None:
        before, image = self._rows[row]
        if pin != before:
            self._rows[row] = (pin, image)
            self.dataChanged.emit(self.index(row), self.index(row))
            self.edited.emit()

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
        self._replace(index.row(), self._rows[index.row()][0].with_note(str(value)))
        return True
