"""The neurons of a layer as a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt
from PyQt6.QtGui import QColor, QFont

from ldam_studio.gui.theme import theme

Role = Qt.ItemDataRole
MOST = 2000  # neurons listed at once; more would make typing in the search field slow
_ROOT = QModelIndex()


class NeuronModel(QAbstractListModel):
    """The neurons of one layer that a search has found.

    Because Qt asks for every row, at most `MOST` neurons are listed, around the place that was
    requested last; further rows, called lines, say how many more there are. A *place* is an index
    among all neurons that were found; a *row* is an index in the list, lines included.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._texts: Sequence[str] = ()
        self._found: NDArray[np.int_] = np.arange(0)
        self._first = 0  # place of the first neuron that is listed
        self._shown: frozenset[int] = frozenset()

    def fill(self, texts: Sequence[str], indices: NDArray[np.int_], shown: Iterable[int]) -> None:
        """List neurons of a layer.

        Parameters
        ----------
        texts
            The texts of all neurons of the layer.
        indices
            The neurons that were found, in ascending order.
        shown
            The neurons that the chains show.
        """
        self.beginResetModel()
        self._texts, self._found = texts, indices
        self._first = 0
        self._shown = frozenset(shown)
        self.endResetModel()

    def set_shown(self, indices: Iterable[int]) -> None:
        """Mark the neurons that the chains show."""
        self._shown = frozenset(indices)
        if self.rowCount():
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    @property
    def count(self) -> int:
        """How many neurons were found, listed or not."""
        return len(self._found)

    def neuron_at(self, place: int) -> int:
        """Return the index in its layer of the neuron at a place."""
        return int(self._found[place])

    def place_of(self, neuron: int) -> int:
        """Return the place of a neuron, -1 if it was not found."""
        place = int(self._found.searchsorted(neuron))
        return place if place < self.count and self._found[place] == neuron else -1

    def place_in(self, row: int) -> int:
        """Return the place of a row; for a line, the place of the nearest neuron not listed."""
        return row - self._lines_before + self._first

    def is_line(self, row: int) -> bool:
        """Return whether a row is a line that says how many more neurons there are."""
        return not self._first <= self.place_in(row) < self._end

    def row_of(self, place: int) -> int:
        """Return the row of a place; if necessary, list the neurons around it first."""
        if not self._first <= place < self._end:
            self.beginResetModel()
            self._first = max(0, min(place - MOST // 2, self.count - MOST))
            self.endResetModel()
        return place - self._first + self._lines_before

    @property
    def _end(self) -> int:
        return min(self._first + MOST, self.count)

    @property
    def _lines_before(self) -> int:
        return int(self._first > 0)

    def rowCount(self, parent: QModelIndex = _ROOT) -> int:
        """Return how many rows are listed."""
        if parent.isValid():
            return 0
        return self._lines_before + self._end - self._first + int(self._end < self.count)

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> object:
        """Return the value of an item for one of Qt's roles."""
        if self.is_line(index.row()):
            return self._of_line(index.row(), role)
        neuron = self.neuron_at(self.place_in(index.row()))
        shown = neuron in self._shown
        if role == Role.DisplayRole:
            return self._texts[neuron]
        if role == Role.AccessibleTextRole:
            return f"{self._texts[neuron]}, shown" if shown else self._texts[neuron]
        if role == Role.FontRole and shown:
            font = QFont()
            font.setBold(True)
            return font
        if role == Role.ForegroundRole and shown:
            return QColor(theme.current().accent)
        return None

    def _of_line(self, row: int, role: int) -> object:
        if role in (Role.DisplayRole, Role.AccessibleTextRole):
            before = row == 0 and self._first
            return f"{self._first:,} before" if before else f"{self.count - self._end:,} more"
        if role == Role.ForegroundRole:
            return QColor(theme.current().muted)
        return None
