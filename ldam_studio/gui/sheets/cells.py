"""The neurons of a contact sheet as a list: their pictures, words and order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QAbstractListModel, QModelIndex, Qt

from ldam_studio.explore.sheets.making import caption
from ldam_studio.explore.sheets.ordering import ordered
from ldam_studio.gui.neuron_grid.grid import STATE, THUMBNAIL
from ldam_studio.gui.neuron_grid.words import about
from ldam_studio.gui.sheets.work import Thumbnail
from ldam_studio.gui.tips import as_tip

if TYPE_CHECKING:
    from collections.abc import Sequence


class Cells(QAbstractListModel):
    """One row for each neuron; a neuron that is not drawn yet has no thumbnail."""

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self._there: dict[int, Thumbnail] = {}
        self._order: list[int] = []
        self._sorted = "index"
        self._similar: list[int] = []

    # What is shown

    def begin(self, names: Sequence[str]) -> None:
        """Show neurons with these names, none of which is drawn."""
        self.beginResetModel()
        self._names, self._there, self._similar = tuple(names), {}, []
        self._order = list(range(len(names)))
        self.endResetModel()

    def add(self, thumbnail: Thumbnail) -> None:
        """Show a neuron that was drawn."""
        number = thumbnail.made.number
        if number >= len(self._names):
            return
        self._there[number] = thumbnail
        at = self.index(self._order.index(number))
        self.dataChanged.emit(at, at)

    def sort_by(self, order: str, similar: Sequence[int] = ()) -> None:
        """Sort by one of `ordering.ORDERS`; `similar` has the numbers in that by similarity."""
        self._sorted, self._similar = order, list(similar)
        self._reorder()

    def sort_again(self) -> None:
        """Sort what was drawn since."""
        self._reorder()

    @property
    def thumbnails(self) -> dict[int, Thumbnail]:
        """What is drawn, by the neurons' numbers."""
        return dict(self._there)

    @property
    def order(self) -> tuple[int, ...]:
        """The numbers of the neurons as they are shown."""
        return tuple(self._order)

    def row_of(self, number: int) -> int:
        """Return where a neuron is shown."""
        return self._order.index(number)

    def thumbnail_at(self, index: QModelIndex) -> Thumbnail | None:
        """Return what is drawn of the neuron at a place."""
        return self._there.get(self._order[index.row()]) if index.isValid() else None

    # Qt's interface

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of neurons."""
        return 0 if parent is not None and parent.isValid() else len(self._order)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the caption, the words about a neuron, or its thumbnail."""
        if not index.isValid():
            return None
        found = self.thumbnail_at(index)
        name = self._names[self._order[index.row()]]
        if role == THUMBNAIL:
            return None if found is None else found.image
        if role == STATE:
            return None if found is None else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return name if found is None else caption(found.made)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            words = f"{name}: not drawn yet" if found is None else about(found.made.row)
            return as_tip(words) if role == Qt.ItemDataRole.ToolTipRole else words
        return None

    def _reorder(self) -> None:
        numbers = sorted(self._there)
        if self._sorted == "similarity":
            known = dict.fromkeys(number for number in self._similar if number in self._there)
            drawn = [*known, *(number for number in numbers if number not in known)]
        else:
            rows = [self._there[number].made.row for number in numbers]
            drawn = [numbers[place] for place in ordered(self._sorted, rows, ())]
        everywhere = range(len(self._names))
        if self._sorted == "index":
            order = list(everywhere)
        else:
            order = [*drawn, *(number for number in everywhere if number not in self._there)]
        if order == self._order:
            return
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        numbers_kept = [self._order[index.row()] for index in kept]
        self._order = order
        places = {number: row for row, number in enumerate(order)}
        self.changePersistentIndexList(kept, [self.index(places[n]) for n in numbers_kept])
        self.layoutChanged.emit()
