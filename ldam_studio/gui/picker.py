"""The neuron picker: layers as a tree, the neurons of one of them, and a search over both."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QKeyEvent, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListView,
    QSizePolicy,
    QSplitter,
    QStackedLayout,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui import theme
from ldam_studio.gui.picker_models import LayerFilter, LayerModel, NeuronModel
from ldam_studio.gui.picker_search import Index
from ldam_studio.networks.network import Neuron

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
OPEN_UP_TO = 60  # a tree of more rows than this starts folded


class _NeuronList(QListView):
    """A list that tells when the keyboard, and only that, has moved or confirmed the choice."""

    stepped = pyqtSignal(QModelIndex)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let the list move first; the picture follows the hand."""
        before = self.currentIndex()
        if event.key() not in _ENTER:
            super().keyPressEvent(event)
        now = self.currentIndex()
        if now.isValid() and (now != before or event.key() in _ENTER):
            self.stepped.emit(now)


class _LayerTree(QTreeView):
    """A tree whose names keep their room: in a narrow window the type goes, then the shape."""

    def fit_columns(self) -> None:
        """Hide the columns for which there is no room beside the names."""
        if self.model() is None or not self.model().columnCount():
            return
        header = self.header()
        left = self.viewport().width() - min(self.sizeHintForColumn(0), 220)
        for column in (2, 1):
            wide = max(self.sizeHintForColumn(column), header.sectionSizeHint(column))
            left -= wide
            self.setColumnHidden(column, left < 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns to the new width."""
        super().resizeEvent(event)
        self.fit_columns()


class _Count(QLabel):
    """A number with a word behind it, which goes where there is no room for both."""

    def __init__(self) -> None:
        super().__init__()
        self._texts = ("", "")

    def say(self, whole: str, short: str) -> None:
        """Show the first text, or the second where the first does not fit."""
        self._texts = whole, short
        self._fit()

    def _fit(self) -> None:
        whole, short = self._texts
        fits = self.fontMetrics().horizontalAdvance(whole) <= self.width()
        self.setText(whole if fits else short)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text to the new width."""
        super().resizeEvent(event)
        self._fit()


class NeuronPicker(QWidget):
    """Choose what the chains show.

    ``chosen`` carries a `Neuron` (show this one) or a `Layer` (spread the chains over it); the
    picker itself changes nothing until it is told so by :meth:`set_neurons`.
    """

    chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._network: Network | None = None
        self._index: Index | None = None
        self._layer = ""
        self._before_search = ""  # the layer to go back to when a search is given up
        self._shown: tuple[Neuron, ...] = ()
        self._quiet = False
        self._random = random.Random()  # only picks what to look at; nothing that is sampled
        self._layers = LayerModel(())
        self._filter = LayerFilter(self)
        self._filter.setSourceModel(self._layers)
        self._neurons = NeuronModel(self)
        self._build()
        self._set_enabled()

    # -- building ---------------------------------------------------------------------------

    def _build(self) -> None:
        self._search = QLineEdit()
        self._search.setPlaceholderText("Search layers, classes, numbers")
        self._search.setAccessibleName("Search layers and neurons")
        self._search.setClearButtonEnabled(True)
        self._search.addAction(
            QAction(theme.icon("search"), "", self._search),
            QLineEdit.ActionPosition.LeadingPosition,
        )
        self._search.textChanged.connect(self._searched)
        self._search.installEventFilter(self)

        self._tree = _LayerTree()
        self._tree.setModel(self._filter)
        self._tree.setAccessibleName("Layers")
        self._tree.setUniformRowHeights(True)
        self._tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._tree.setIndentation(14)
        self._tree.setMinimumHeight(80)
        self._tree.setToolTip("Enter or double click spreads the chains over the layer")
        self._tree.selectionModel().currentChanged.connect(self._browsed)
        self._tree.doubleClicked.connect(self._layer_opened)
        self._tree.installEventFilter(self)

        self._list = _NeuronList()
        self._list.setModel(self._neurons)
        self._list.setAccessibleName("Neurons of the layer")
        self._list.setUniformItemSizes(True)
        self._list.setMinimumHeight(80)
        self._list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._list.clicked.connect(self._neuron_picked)
        self._list.stepped.connect(self._neuron_picked)

        self._title = _Count()
        self._title.setProperty("role", "muted")
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._buttons = [
            self._button("previous", "Previous neuron", self.previous_neuron),
            self._button("next", "Next neuron", self.next_neuron),
            self._button("random", "Random neuron of this layer", self.random_neuron),
            self._button(
                "all", "All: spread the chains over this layer's neurons", self.all_neurons
            ),
        ]
        row = QHBoxLayout()
        row.setContentsMargins(2, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self._title, 1)
        for button in self._buttons:
            row.addWidget(button)

        lower = QWidget()
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(4)
        below.addLayout(row)
        below.addWidget(self._list, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setHandleWidth(6)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._tree)
        splitter.addWidget(lower)
        splitter.setStretchFactor(0, 4)
        splitter.setStretchFactor(1, 5)

        self._nothing = QLabel()
        self._nothing.setProperty("role", "empty")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setWordWrap(True)
        self._nothing.setTextFormat(Qt.TextFormat.PlainText)
        self._pages = QStackedLayout()
        self._pages.addWidget(splitter)
        self._pages.addWidget(self._nothing)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self._search)
        layout.addLayout(self._pages, 1)
        self.setFocusProxy(self._search)
        self._say_nothing("No network is open.")

    def _button(self, name: str, text: str, act: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setIcon(theme.icon(name))
        button.setToolTip(text)
        button.setAccessibleName(text.partition(":")[0] if name != "all" else text)
        if name == "all":
            button.setText("All")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setProperty("compact", True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(act)
        return button

    # -- what the window tells ---------------------------------------------------------------

    def set_network(self, network: Network | None) -> None:
        """Show the layers of a network; None for no network."""
        self._network = network
        self._index = Index(network) if network is not None else None
        self._shown = ()
        self._layer = self._before_search = ""
        self._quiet = True
        try:
            old, self._layers = self._layers, LayerModel(network.layers if network else (), self)
            self._filter.setSourceModel(self._layers)
            old.deleteLater()
            self._search.clear()
            self._filter.leave(None)
        finally:
            self._quiet = False
        header = self._tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setMinimumSectionSize(48)
        # Columns as wide as what is in sight needs: asking every row of a deep network takes long.
        header.setResizeContentsPrecision(0)
        if network is None:
            self._say_nothing("No network is open.")
            return
        self._tree.setRootIsDecorated(any("." in layer.name for layer in network.layers))
        if len(network.layers) <= OPEN_UP_TO:
            self._tree.expandAll()
        self._browse(network.layers[-1].name)
        self._tree.fit_columns()

    def set_neurons(self, neurons: Sequence[Neuron]) -> None:
        """Highlight what the chains show, one neuron per chain."""
        neurons = tuple(neurons)
        if neurons == self._shown or self._network is None:
            return
        self._shown = neurons
        self._layers.set_shown({neuron.layer for neuron in neurons})
        if neurons and neurons[0].layer != self._layer and not self._search.text():
            self._browse(neurons[0].layer)
        self._neurons.set_shown(self._shown_here())
        if len(set(neurons)) == 1 and neurons[0].layer == self._layer:
            self._point_at(self._neurons.row_of(neurons[0].index))

    def shown(self) -> tuple[Neuron, ...]:
        """Return what is highlighted."""
        return self._shown

    # -- what the person does ------------------------------------------------------------------

    def next_neuron(self) -> None:
        """Choose the neuron after the current one; after the last comes the first."""
        self._move(1)

    def previous_neuron(self) -> None:
        """Choose the neuron before the current one; before the first comes the last."""
        self._move(-1)

    def random_neuron(self) -> None:
        """Choose any other of the listed neurons."""
        rows = self._neurons.rowCount()
        here = self._list.currentIndex().row()
        others = [row for row in range(rows) if row != here] or list(range(rows))
        if others:
            self._choose_row(self._random.choice(others))

    def all_neurons(self) -> None:
        """Choose the whole layer: the chains spread over its neurons."""
        if self._network is not None and self._layer:
            self.chosen.emit(self._network.layer(self._layer))

    def _move(self, by: int) -> None:
        rows = self._neurons.rowCount()
        if not rows:
            return
        here = self._list.currentIndex().row()
        if here < 0:
            here = -1 if by > 0 else 0
        self._choose_row((here + by) % rows)

    def _choose_row(self, row: int) -> None:
        self._point_at(row)
        self._choose(row)

    def _choose(self, row: int) -> None:
        self._before_search = self._layer
        self.chosen.emit(Neuron(self._layer, self._neurons.neuron_at(row)))

    def _neuron_picked(self, index: QModelIndex) -> None:
        self._choose(index.row())

    def _browsed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        layer = self._layers.layer_at(self._filter.mapToSource(current))
        if layer is not None and not self._quiet and layer.name != self._layer:
            self._layer = layer.name
            if self._before_search:
                self._before_search = layer.name
            self._refresh()

    def _layer_opened(self, index: QModelIndex) -> None:
        if self._layers.layer_at(self._filter.mapToSource(index)) is not None:
            self.all_neurons()

    def _searched(self) -> None:
        if self._quiet:
            return
        if not self._search.text().strip():
            self._layer = self._before_search or self._layer
            self._before_search = ""
        elif not self._before_search:
            self._before_search = self._layer
        self._refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give the keys of the search field and of the tree their meaning."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if watched is self._search:
                return self._search_key(event.key())
            if watched is self._tree and event.key() in _ENTER:
                self._layer_opened(self._tree.currentIndex())
                return True
        return super().eventFilter(watched, event)

    def _search_key(self, key: int) -> bool:
        if key == Qt.Key.Key_Down:
            self._tree.setFocus()
            return True
        if key in _ENTER:
            if self._search.text() and self._neurons.rowCount():
                self._choose_row(0)
                self._list.setFocus()
            return True
        if key == Qt.Key.Key_Escape and self._search.text():
            self._search.clear()
            return True
        return False

    # -- keeping up ------------------------------------------------------------------------------

    def _browse(self, layer: str) -> None:
        """Show a layer's neurons without choosing any."""
        self._layer = layer
        self._quiet = True
        try:
            index = self._filter.mapFromSource(self._layers.index_of(layer))
            self._tree.setCurrentIndex(index)
            self._tree.scrollTo(index)
        finally:
            self._quiet = False
        self._refresh()

    def _refresh(self) -> None:
        """Filter both lists by what is in the search field."""
        if self._index is None:
            return
        query = self._search.text().strip()
        layers, neurons = self._index.find(query, self._layer)
        self._quiet = True
        try:
            if query:
                if self._layer not in layers and layers:
                    self._layer = next(la.name for la in self._network.layers if la.name in layers)
                    neurons = self._index.neurons(query, self._layer)
                self._filter.leave(layers)
                self._tree.expandAll()
            else:
                self._filter.leave(None)
            at = self._filter.mapFromSource(self._layers.index_of(self._layer))
            self._tree.setCurrentIndex(at)
            self._tree.scrollTo(at)
            self._neurons.fill(self._index.texts(self._layer), neurons, self._shown_here())
        finally:
            self._quiet = False
        if query and not layers:
            self._say_nothing(f"Nothing here is called “{query}”.\nEsc clears the search.")
        else:
            self._pages.setCurrentIndex(0)
        self._point_at_shown()
        self._title_again(query)
        self._set_enabled()

    def _title_again(self, query: str) -> None:
        total = self._network.layer(self._layer).neurons
        found = self._neurons.rowCount()
        count = f"{found:,} of {total:,}" if query and found != total else f"{total:,}"
        word = "neuron" if total == 1 else "neurons"
        self._title.say(f"{count} {word}", count)
        self._title.setToolTip(f"{self._layer}: {count} {word}")

    def _shown_here(self) -> set[int]:
        return {neuron.index for neuron in self._shown if neuron.layer == self._layer}

    def _point_at_shown(self) -> None:
        here = self._shown_here()
        self._point_at(self._neurons.row_of(next(iter(here))) if len(here) == 1 else -1)

    def _point_at(self, row: int) -> None:
        self._quiet = True
        try:
            selection = self._list.selectionModel()
            index = self._neurons.index(row) if row >= 0 else QModelIndex()
            selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            if index.isValid():
                self._list.scrollTo(index)
        finally:
            self._quiet = False

    def _say_nothing(self, text: str) -> None:
        self._nothing.setText(text)
        self._pages.setCurrentIndex(1)
        self._set_enabled()

    def _set_enabled(self) -> None:
        some = self._neurons.rowCount() > 0
        for button in self._buttons:
            button.setEnabled(some)
        self._search.setEnabled(self._network is not None)
