"""The neuron picker's tree of layers, whose columns keep their widths while it is searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QModelIndex, Qt, pyqtSignal
from PyQt6.QtGui import QFont, QFontMetrics, QKeyEvent, QResizeEvent
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView

from ldam_studio.gui.picker.layer_model import (
    COLUMNS,
    SEES,
    SHAPE,
    TYPE,
    LayerFilter,
    LayerModel,
    small,
)
from ldam_studio.gui.qt import ENTER, present

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network

NAME_CHARACTERS = 9  # characters of a layer's name that are always visible
BESIDE = 13  # pixels around a cell's text
LIKELY_FIELD = "224×224"  # fields are computed later; the column is wide enough for them
INDENTATION = 10  # pixels for each level of the tree
FIRST_TO_STAY = (SHAPE, TYPE, SEES)
LONGEST_TYPE = 11  # characters; the tool tip has longer names of classes in full
OPEN_UP_TO = 60  # a tree with more layers than this starts collapsed
MOST_ROWS = 60  # more are not counted: they do not fit anyway


class LayerTree(QTreeView):
    """A tree of layers. Columns for which a narrow panel leaves no space are hidden.

    The widths of the columns depend only on the network, and the shown columns only on the width of
    the panel, so that nothing moves while the user searches or expands the tree.
    """

    browsed = pyqtSignal(str)  # the user moved to a layer
    opened = pyqtSignal()  # Enter or a double click on a layer

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Layers")
        self.setUniformRowHeights(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setIndentation(INDENTATION)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setMinimumHeight(80)
        self.setToolTip("Enter or a double click spreads the chains over the layer")
        self._texts: tuple[tuple[str, ...], ...] = ((),) * len(COLUMNS)
        self._quiet = False
        self._layers = LayerModel(None, self)
        self._filter = LayerFilter(self._layers, self)
        self.setModel(self._filter)
        present(self.selectionModel()).currentChanged.connect(self._move)
        self.doubleClicked.connect(self._open)

    def set_network(self, network: Network | None) -> None:
        """Show the layers of a network; None for no network."""
        with self._quietly():
            old, self._layers = self._layers, LayerModel(network, self)
            self._filter.leave(None)
            self._filter.set_layers(self._layers)
            old.deleteLater()
        self._measure()
        if network is not None:
            self.setRootIsDecorated(any("." in layer.name for layer in network.layers))
            if len(network.layers) <= OPEN_UP_TO:
                self.expandAll()

    def set_shown(self, layers: Iterable[str]) -> None:
        """Mark the layers whose neurons the chains show."""
        self._layers.set_shown(layers)

    def leave(self, layers: Iterable[str] | None, current: str) -> None:
        """Show these layers only, None for all, and make one the current one."""
        with self._quietly():
            self._filter.leave(layers)
            if layers is not None:
                self.expandAll()
            index = self._filter.mapFromSource(self._layers.index_of(current))
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def rows(self) -> int:
        """Return how many rows are listed at present."""
        row, count = present(self.model()).index(0, 0), 0
        while row.isValid() and count < MOST_ROWS:
            row, count = self.indexBelow(row), count + 1
        return count

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Open the layer on Enter."""
        if present(event).key() in ENTER:
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the columns to the new width."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent | None) -> None:
        """Fit the columns to a new font."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.FontChange:
            self._fit()

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Suppress `browsed`, because a method and not the user moves in the tree."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def _move(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if self._quiet:
            return
        layer = self._layers.layer_at(self._filter.mapToSource(current))
        if layer is not None:
            self.browsed.emit(layer.name)

    def _open(self, index: QModelIndex) -> None:
        if self._layers.layer_at(self._filter.mapToSource(index)) is not None:
            self.opened.emit()

    def _measure(self) -> None:
        """Fit the columns to the texts of a network's layers."""
        columns = range(len(COLUMNS))
        self._texts = tuple(tuple(dict.fromkeys(self._layers.texts(column))) for column in columns)
        header = present(self.header())
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in columns[1:]:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        self._fit()

    def _fit(self) -> None:
        """Set the widths of the columns, and hide those for which there is no space."""
        bold = QFont(self.font())  # the font of a layer that is shown
        bold.setBold(True)
        metrics, header = QFontMetrics(small(self.font())), present(self.header())
        names = QFontMetrics(bold).averageCharWidth() * NAME_CHARACTERS
        names += (self._layers.depth + 1) * INDENTATION
        # With the scroll bar, also while there is none, so that a search hides no column.
        bar = present(self.verticalScrollBar()).sizeHint().width()
        room = self.width() - 2 * self.frameWidth() - bar - names
        for column in FIRST_TO_STAY:
            likely = LIKELY_FIELD if column == SEES else COLUMNS[column]
            texts = (likely, *(text[:LONGEST_TYPE] for text in self._texts[column]))
            wide = max(map(metrics.horizontalAdvance, texts)) + BESIDE
            room -= wide
            self.setColumnHidden(column, room < 0)
            if header.sectionSize(column) != wide:
                header.resizeSection(column, wide)
