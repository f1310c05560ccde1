"""The neurons of an atlas as a list: those that are searched for, in order, with few thumbnails."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QAbstractListModel, QModelIndex, Qt, pyqtSignal
from PyQt6.QtGui import QImage

from ldam_studio.atlas.browsing import Found, Table
from ldam_studio.explore.sheets.making import caption_of, value_of
from ldam_studio.gui.neuron_grid.grid import STATE, THUMBNAIL
from ldam_studio.gui.neuron_grid.words import about
from ldam_studio.gui.tips import as_tip

if TYPE_CHECKING:
    from pathlib import Path

MOST_THUMBNAILS = 1000
"""Thumbnails in memory, 50 MB at most; those that were seen longest ago are given up."""


class AtlasCells(QAbstractListModel):
    """One row for each neuron that is shown.

    `missed` is emitted when a neuron is painted whose thumbnail is not in memory.
    """

    missed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.table = Table(())
        self._shown: NDArray[np.intp] = np.empty(0, np.intp)
        self._layer: str | None = None
        self._thumbnails: OrderedDict[int, QImage | None] = OrderedDict()

    # What is shown

    def begin(self, layers: Sequence[str]) -> None:
        """Show an atlas, none of whose neurons is known."""
        self.beginResetModel()
        self.table = Table(layers)
        self._shown, self._layer = np.empty(0, np.intp), None
        self._thumbnails.clear()
        self.endResetModel()

    def arrange(self, order: str, layer: str | None = None, text: str = "") -> bool:
        """Show what `Table.arranged` returns; return whether it is another list than before.

        If neurons were only added at its end, nothing else moves.
        """
        shown, former = self.table.arranged(order, layer, text), self._shown
        self._layer = layer
        if np.array_equal(shown[: len(former)], former):
            if len(shown) > len(former):
                self.beginInsertRows(QModelIndex(), len(former), len(shown) - 1)
                self._shown = shown
                self.endInsertRows()
            return False
        self.beginResetModel()
        self._shown = shown
        self.endResetModel()
        return True

    def found_at(self, index: QModelIndex) -> Found | None:
        """Return the neuron at a place."""
        return self.table.found[self._shown[index.row()]] if index.isValid() else None

    def position_at(self, index: QModelIndex) -> int | None:
        """Return the position in the table of the neuron at a place."""
        return int(self._shown[index.row()]) if index.isValid() else None

    def row_of(self, position: int) -> int | None:
        """Return where the neuron with a position in the table is shown; None if it is not."""
        rows = np.flatnonzero(self._shown == position)
        return int(rows[0]) if len(rows) else None

    @property
    def lines(self) -> int:
        """The number of lines of captions: neurons of all layers are named by their addresses."""
        return 2 if self._layer is None else 1

    @property
    def damaged(self) -> int:
        """How many of the thumbnails in memory could not be read."""
        return sum(image is None for image in self._thumbnails.values())

    # Thumbnails

    def missing(self, rows: Iterable[int]) -> list[tuple[int, Path]]:
        """Return positions and files of the neurons in these rows that have no thumbnail yet."""
        positions = [int(self._shown[row]) for row in rows]
        return [(p, self.table.found[p].path) for p in positions if p not in self._thumbnails]

    def keep(self, loaded: Sequence[tuple[int, QImage | None]], rows: range) -> None:
        """Keep thumbnails, and give up others if they are too many, but not those of some rows."""
        self._thumbnails.update(loaded)
        while len(self._thumbnails) > max(MOST_THUMBNAILS, 2 * len(rows)):
            self._thumbnails.popitem(last=False)
        if rows:
            self.dataChanged.emit(self.index(rows[0]), self.index(rows[-1]), [THUMBNAIL])

    # Qt's interface

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of neurons."""
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the caption, the words about a neuron, or its thumbnail."""
        if not index.isValid():
            return None
        position = int(self._shown[index.row()])
        row = self.table.found[position].row
        if role == THUMBNAIL:
            return self._thumbnail(position)
        if role == STATE:
            return "damaged" if self._thumbnails.get(position, "") is None else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{row.neuron}\n{value_of(row)}" if self._layer is None else caption_of(row)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            modes = "" if row.modes < 2 else f"\nIts chains show {row.modes} different pictures"
            words = about(row) + modes
            return as_tip(words) if role == Qt.ItemDataRole.ToolTipRole else words
        return None

    def _thumbnail(self, position: int) -> QImage | None:
        if position not in self._thumbnails:
            self.missed.emit()
            return None
        self._thumbnails.move_to_end(position)
        return self._thumbnails[position]
