"""The neuron picker: layers as a tree, lists of neurons, and a search over both."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QKeyEvent
from PyQt6.QtWidgets import (
    QLabel,
    QLineEdit,
    QSplitter,
    QStackedLayout,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.errors import StudioError
from ldam_studio.gui.picker.entries import entries_feeding, entries_of
from ldam_studio.gui.picker.header import NeuronHeader
from ldam_studio.gui.picker.lists import EntryPage, NeuronList
from ldam_studio.gui.picker.memory import NeuronMemory
from ldam_studio.gui.picker.models import LayerFilter, LayerModel, NeuronModel
from ldam_studio.gui.picker.search import Index, addresses_in, words_of
from ldam_studio.gui.picker.tree import LayerTree
from ldam_studio.gui.theme import icons
from ldam_studio.networks.network import Neuron

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.networks.network import Network

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ENDS = (Qt.Key.Key_Home, Qt.Key.Key_End)
OPEN_UP_TO = 60  # a tree of more rows than this starts folded
TABS = {
    "Neurons": "The neurons of the layer",
    "Fed by": "What feeds the neuron shown: the inputs with the largest weights",
    "Starred": "The neurons that you starred in this network",
    "Recent": "The neurons that you looked at last",
}
NEURONS, FED_BY, STARRED, RECENT = range(4)
NO_STARS = "No neuron is starred. Press the star above to add the one on the screen to this list."


class NeuronPicker(QWidget):
    """Choose what the chains show.

    ``chosen`` carries a `Neuron` (show this one), a tuple of them (one for each chain) or a `Layer`
    (spread the chains over it); the picker itself changes nothing until it is told so by
    :meth:`set_neurons`.
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
        self._layers = LayerModel()
        self._filter = LayerFilter(self)
        self._filter.setSourceModel(self._layers)
        self._neurons = NeuronModel(self)
        self.memory = NeuronMemory()
        self._build()
        self._say_nothing("No network is open.")

    # -- building ---------------------------------------------------------------------------

    def _build(self) -> None:
        self._search = QLineEdit()
        self._search.setPlaceholderText("Layer, class or address")
        self._search.setToolTip(
            "Part of a layer's name or type, of a class's name, or a whole address, which Enter "
            "shows: layer:index, layer:index@y,x, layer:index@mean, -layer:index"
        )
        self._search.setAccessibleName("Search layers and neurons")
        self._search.setClearButtonEnabled(True)
        self._search.addAction(
            QAction(icons.icon("search"), "", self._search),
            QLineEdit.ActionPosition.LeadingPosition,
        )
        self._search.textChanged.connect(self._searched)
        self._search.installEventFilter(self)
        self._tree = LayerTree()
        self._tree.setModel(self._filter)
        self._tree.selectionModel().currentChanged.connect(self._browsed)
        self._tree.doubleClicked.connect(self._layer_opened)
        self._tree.installEventFilter(self)
        self._header = NeuronHeader()
        self._header.pressed.connect(self._pressed)
        self._list = NeuronList("Neurons of the layer")
        self._list.setModel(self._neurons)
        self._list.clicked.connect(self._neuron_picked)
        self._list.stepped.connect(self._neuron_picked)
        self._list.installEventFilter(self)

        self._tabs = QTabBar()
        self._tabs.setAccessibleName("Lists of neurons")
        self._tabs.setProperty("compact", True)
        self._tabs.setDrawBase(False)
        self._tabs.setUsesScrollButtons(False)
        self._tabs.setElideMode(Qt.TextElideMode.ElideRight)
        for number, (title, tip) in enumerate(TABS.items()):
            self._tabs.addTab(title)
            self._tabs.setTabToolTip(number, tip)
        self._lists = QStackedLayout()
        self._lists.addWidget(self._list)
        self.pages = {number: EntryPage(TABS[title]) for number, title in enumerate(TABS) if number}
        for page in self.pages.values():
            page.chosen.connect(self.choose)
            self._lists.addWidget(page)
        self._tabs.currentChanged.connect(self._tab_chosen)
        self._arrange()

    def _arrange(self) -> None:
        lower = QWidget()
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(4)
        below.addWidget(self._header)
        below.addWidget(self._tabs)
        below.addLayout(self._lists, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setHandleWidth(6)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._tree)
        splitter.addWidget(lower)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
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

    # -- what the window tells ---------------------------------------------------------------

    def remember(self, path: Path) -> None:
        """Keep recent and starred neurons in a file, which `memory.save` writes."""
        self.memory = NeuronMemory(path)
        self._fill_page()

    @property
    def network(self) -> Network | None:
        """The network whose layers are shown."""
        return self._network

    def set_network(self, network: Network | None) -> None:
        """Show the layers of a network; None for no network."""
        self._network = network
        self._index = Index(network) if network is not None else None
        self._shown = ()
        self._layer = self._before_search = ""
        self._quiet = True
        try:
            old, self._layers = self._layers, LayerModel(network, self)
            self._filter.setSourceModel(self._layers)
            old.deleteLater()
            self._search.clear()
            self._filter.leave(None)
        finally:
            self._quiet = False
        self._tree.measure(self._layers)
        if network is None:
            self._say_nothing("No network is open.")
            return
        self._tree.setRootIsDecorated(any("." in layer.name for layer in network.layers))
        if len(network.layers) <= OPEN_UP_TO:
            self._tree.expandAll()
        self._browse(network.layers[-1].name)
        self._fill_page()

    def set_weights(self, network: Network) -> None:
        """Take over later weights of the network that is shown."""
        self._network = network
        if self._tabs.currentIndex() == FED_BY:
            self._fill_page()

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
        alone = self.shown_alone()
        if alone is not None:
            self.memory.note(self._network, alone)
            if alone.layer == self._layer:
                self._point_at(self._neurons.place_of(alone.index))
        self._fill_page()

    def shown(self) -> tuple[Neuron, ...]:
        """Return what is highlighted."""
        return self._shown

    def shown_alone(self) -> Neuron | None:
        """Return the neuron that all chains show; None if they show several."""
        return self._shown[0] if len(set(self._shown)) == 1 else None

    # -- what the person does ------------------------------------------------------------------

    def choose(self, neuron: Neuron) -> None:
        """Choose one neuron for all chains, and remember that."""
        if self._network is not None:
            self.memory.note(self._network, neuron)
            self.chosen.emit(neuron)
            self._fill_page()

    def next_neuron(self) -> None:
        """Choose the neuron after the current one; after the last comes the first."""
        self._move(1)

    def previous_neuron(self) -> None:
        """Choose the neuron before the current one; before the first comes the last."""
        self._move(-1)

    def random_neuron(self) -> None:
        """Choose any other of the listed neurons."""
        count, here = self._neurons.count, self._here()
        if count:
            place = self._random.randrange(count if here < 0 or count == 1 else count - 1)
            # One less to choose from: those behind the current one move up.
            self._choose_at(place + 1 if 0 <= here <= place and count > 1 else place)

    def all_neurons(self) -> None:
        """Choose the whole layer: the chains spread over its neurons."""
        if self._network is not None and self._layer:
            self.chosen.emit(self._network.layer(self._layer))

    def star_neuron(self) -> None:
        """Star the neuron that all chains show, or take its star."""
        neuron = self.shown_alone()
        if neuron is not None and self._network is not None:
            self.memory.toggle(self._network, neuron)
            self._fill_page()

    def find(self) -> None:
        """Give the keyboard to the search field."""
        self._search.setFocus()
        self._search.selectAll()

    def show_list(self, number: int) -> None:
        """Give the keyboard to one of the lists `NEURONS`, `FED_BY`, `STARRED`, `RECENT`."""
        self._tabs.setCurrentIndex(number)
        (self.pages[number].list if number else self._list).setFocus()

    def _pressed(self, name: str) -> None:
        slots = {"star": self.star_neuron, "previous": self.previous_neuron}
        slots |= {"next": self.next_neuron, "random": self.random_neuron, "all": self.all_neurons}
        slots[name]()

    def _move(self, by: int) -> None:
        count, here = self._neurons.count, self._here()
        if not count:
            return
        if here < 0:
            here = -1 if by > 0 else 0
        self._choose_at((here + by) % count)

    def _here(self) -> int:
        """Return the place of the current neuron in the list, -1 if there is none."""
        row = self._list.currentIndex().row()
        return -1 if row < 0 or self._neurons.is_line(row) else self._neurons.place_in(row)

    def _choose_at(self, place: int) -> None:
        self._point_at(place)
        self._choose(place)

    def _choose(self, place: int) -> None:
        self._before_search = self._layer
        self.choose(Neuron(self._layer, self._neurons.neuron_at(place)))

    def _neuron_picked(self, index: QModelIndex) -> None:
        if self._neurons.is_line(index.row()):
            # The list moves on to what the line stands for.
            self._choose_at(self._neurons.place_in(index.row()))
        else:
            self._choose(self._neurons.place_in(index.row()))

    def _browsed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        layer = self._layers.layer_at(self._filter.mapToSource(current))
        if layer is not None and not self._quiet and layer.name != self._layer:
            self._layer = layer.name
            if self._before_search:
                self._before_search = layer.name
            self._tabs.setCurrentIndex(NEURONS)
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
        else:
            self._before_search = self._before_search or self._layer
            self._tabs.setCurrentIndex(NEURONS)
        self._refresh()

    def _tab_chosen(self) -> None:
        self._lists.setCurrentIndex(self._tabs.currentIndex())
        self._fill_page()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Give the keys of the search field, the tree and the list their meaning."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if watched is self._search:
                return self._search_key(event.key())
            if watched is self._tree and event.key() in _ENTER:
                self._layer_opened(self._tree.currentIndex())
                return True
            if watched is self._list and event.key() in _ENDS:
                self._go_to_end(last=event.key() == Qt.Key.Key_End)
                return True
        return super().eventFilter(watched, event)

    def _go_to_end(self, *, last: bool) -> None:
        """Choose the first or last neuron, which need not be among those that are listed."""
        place = self._neurons.count - 1 if last else 0
        if place >= 0 and place != self._here():
            self._choose_at(place)

    def _search_key(self, key: int) -> bool:
        if key == Qt.Key.Key_Down:
            self._tree.setFocus()
            return True
        if key in _ENTER:
            self._search_confirmed()
            return True
        if key == Qt.Key.Key_Escape and self._search.text():
            self._search.clear()
            return True
        return False

    def _search_confirmed(self) -> None:
        """Show what was typed as an address, else the first neuron that was found."""
        typed = self._typed()
        if isinstance(typed, str):
            return
        if typed:
            if len(typed) == 1:
                self.choose(typed[0])
            else:
                self.chosen.emit(typed)
            self._leave_search(typed[0].layer)
        elif self._search.text() and self._neurons.count:
            self._choose_at(0)
            self._leave_search(self._layer)

    def _leave_search(self, layer: str) -> None:
        """Show a layer whole, and where in it the chains are: what was searched for is found."""
        self._before_search = ""
        self._quiet = True
        self._search.clear()
        self._quiet = False
        self._browse(layer)
        self._list.setFocus()

    # -- keeping up ------------------------------------------------------------------------------

    def _typed(self) -> tuple[Neuron, ...] | str:
        """Return the neurons whose address is in the search field, or why there are none such."""
        neurons = addresses_in(self._search.text())
        try:
            return tuple(self._network.check(neuron) for neuron in neurons)
        except StudioError as error:
            return str(error)

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
        query, typed = words_of(self._search.text()), self._typed()
        if typed and not isinstance(typed, str):
            self._layer = typed[0].layer
            layers, neurons = {self._layer}, sorted({neuron.index for neuron in typed})
        else:
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
        if isinstance(typed, str):
            self._say_nothing(typed)
        elif query and not layers:
            self._say_nothing(f"Nothing here is called “{query}”.\nEsc clears the search.")
        else:
            self._pages.setCurrentIndex(0)
        self._point_at_shown()
        self._count_again(query)
        self._set_enabled()

    def _fill_page(self) -> None:
        """Bring the list in front up to date, and the star."""
        neuron, network = self.shown_alone(), self._network
        if network is None:
            return
        starred = self.memory.starred(network)
        self._header.show_star(neuron in starred)
        self._set_enabled()
        number = self._tabs.currentIndex()
        fill = partial(self.pages[number].fill, shown=neuron) if number else None
        if number == FED_BY:
            if neuron is None:
                fill([], head="", empty="Choose one neuron to see what feeds it.")
            else:
                entries, words = entries_feeding(network, neuron)
                fill(entries, head=words, empty=words)
        elif number == STARRED:
            entries = entries_of(network, starred)
            fill(entries, head="", empty=NO_STARS)
        elif number == RECENT:
            entries = entries_of(network, self.memory.recent(network))
            fill(entries, head="", empty="The neurons that you choose are kept here.")

    def _count_again(self, query: str) -> None:
        total = self._network.layer(self._layer).neurons
        found = self._neurons.count
        count = f"{found:,} of {total:,}" if query and found != total else f"{total:,}"
        word = "neuron" if total == 1 else "neurons"
        whole = f"{count} {word}"
        if self._search.text() and self._typed():
            whole = "Enter shows it" if found == 1 else "Enter shows them"
        self._header.count.say(whole, count)
        self._header.count.setToolTip(f"{self._layer}: {count} {word}")

    def _shown_here(self) -> set[int]:
        return {neuron.index for neuron in self._shown if neuron.layer == self._layer}

    def _point_at_shown(self) -> None:
        here = self._shown_here()
        self._point_at(self._neurons.place_of(next(iter(here))) if len(here) == 1 else -1)

    def _point_at(self, place: int) -> None:
        self._quiet = True
        try:
            selection = self._list.selectionModel()
            row = self._neurons.row_of(place) if place >= 0 else -1
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
        some = self._neurons.count > 0
        self._header.enable(some, one=some and self.shown_alone() is not None)
        self._search.setEnabled(self._network is not None)
