"""The neuron picker: layers as a tree, lists of neurons, and a search over both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.picker.division import Division
from ldam_studio.gui.picker.header import NeuronHeader
from ldam_studio.gui.picker.layer_list import LayerList
from ldam_studio.gui.picker.memory import NeuronMemory
from ldam_studio.gui.picker.neuron_lists import FED_BY, NEURONS, NeuronLists
from ldam_studio.gui.picker.place_choice import PlaceChoice
from ldam_studio.gui.picker.search import Index
from ldam_studio.gui.picker.search_field import SearchField
from ldam_studio.gui.picker.tree import LayerTree
from ldam_studio.networks.neurons import Neuron

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.networks.network import Network


class NeuronPicker(QWidget):
    """Lets the user choose what the chains show.

    ``chosen`` carries a `Neuron` (all chains show it) or a tuple of neurons (one for each chain);
    ``spread`` carries a `Layer` and a place (the chains spread over its neurons at that place). A
    choice is highlighted only after `set_neurons` has been called.
    """

    chosen = pyqtSignal(object)
    spread = pyqtSignal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._network: Network | None = None
        self._index: Index | None = None
        self._layer = ""  # the layer whose neurons are listed
        self._before_search = ""  # the layer to return to when a search is cancelled
        self._shown: tuple[Neuron, ...] = ()
        self._front = 0
        self.memory = NeuronMemory()
        self._search = SearchField()
        self._search.searched.connect(self._searched)
        self._search.confirmed.connect(self._search_confirmed)
        self._tree = LayerTree()
        self._search.left_down.connect(self._tree.setFocus)
        self._tree.browsed.connect(self._browsed)
        self._tree.opened.connect(self.all_neurons)
        self._header = NeuronHeader()
        self._list = LayerList()
        self._list.picked.connect(self._picked)
        self.place = PlaceChoice()
        self.place.chosen.connect(self._place_chosen)
        self._lists = NeuronLists(self._list, self.place)
        self.pages = self._lists.pages
        self._lists.chosen.connect(self.choose)
        self._lists.turned.connect(self._fill_list)
        self._header.pressed.connect(self._pressed)
        self._arrange()
        self._say_nothing("No network is open.")

    def _arrange(self) -> None:
        lower = QWidget()
        below = QVBoxLayout(lower)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(4)
        below.addWidget(self._header)
        below.addWidget(self._lists, 1)
        self._division = Division(self._tree, self._list, lower)
        self._nothing = Paragraph()
        self._nothing.setProperty("role", "empty")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self._search)
        layout.addLayout(self._pages, 1)
        # Only now: a page without a parent would open a window of its own.
        self._pages.addWidget(self._division)
        self._pages.addWidget(self._nothing)
        self.setFocusProxy(self._search)

    # -- what is shown -----------------------------------------------------------------------

    def remember(self, path: Path) -> None:
        """Keep recent and starred neurons in a file, which `memory.save` writes."""
        self.memory = NeuronMemory(path)
        self._fill_list()

    @property
    def network(self) -> Network | None:
        """The network whose layers are shown."""
        return self._network

    @property
    def layer(self) -> str:
        """The name of the layer whose neurons are listed; empty without a network."""
        return self._layer

    def set_network(self, network: Network | None) -> None:
        """Show the layers of a network; None for no network."""
        self._network = network
        self._index = Index(network) if network is not None else None
        self._shown = ()
        self._layer = self._before_search = ""
        self._search.wipe()
        self._tree.set_network(network)
        if network is None:
            self._say_nothing("No network is open.")
            return
        self._browse(network.class_layer.name)
        self._fill_list()
        self._division.share()

    def set_weights(self, network: Network) -> None:
        """Use other weights of the same network."""
        self._network = network
        if self._lists.front == FED_BY:
            self._fill_list()

    def set_front(self, front: int) -> None:
        """Select the neuron of the chain with this index."""
        if front != self._front:
            self._front = front
            self._point()
            self._fill_list()

    def set_neurons(self, neurons: Sequence[Neuron], front: int = 0) -> None:
        """Highlight what the chains show, one neuron per chain, and select that of the front."""
        self.set_front(front)
        neurons = tuple(neurons)
        if neurons == self._shown or self._network is None:
            return
        self._shown = neurons
        self._tree.set_shown({neuron.layer for neuron in neurons})
        if neurons and neurons[0].layer != self._layer and not self._search.text():
            self._browse(neurons[0].layer)
        self._list.set_shown(self._shown_here())
        if neurons and neurons[0].layer == self._layer:
            self.place.show_place(neurons[0].place)
        alone = self.shown_alone()
        if alone is not None:
            self.memory.note(self._network, alone)
        self._point()
        self._fill_list()

    def shown(self) -> tuple[Neuron, ...]:
        """Return the highlighted neurons, one per chain."""
        return self._shown

    def shown_alone(self) -> Neuron | None:
        """Return the neuron that all chains show; None if they show several."""
        return self._shown[0] if len(set(self._shown)) == 1 else None

    def shown_in_front(self) -> Neuron | None:
        """Return the neuron of the front chain; None while nothing is shown."""
        return self._shown[self._front] if self._front < len(self._shown) else None

    # -- what the user does ------------------------------------------------------------------

    def choose(self, neuron: Neuron) -> None:
        """Choose one neuron for all chains, and remember it."""
        if self._network is not None:
            self.memory.note(self._network, neuron)
            self.chosen.emit(neuron)
            self._fill_list()

    def next_neuron(self) -> None:
        """Choose the neuron after the current one; after the last comes the first."""
        self._list.pick_neighbour(1)

    def previous_neuron(self) -> None:
        """Choose the neuron before the current one; before the first comes the last."""
        self._list.pick_neighbour(-1)

    def random_neuron(self) -> None:
        """Choose another neuron of the list at random."""
        self._list.pick_random()

    def all_neurons(self) -> None:
        """Choose the whole layer, so that the chains spread over its neurons."""
        if self._network is not None and self._layer:
            self.spread.emit(self._network.layer(self._layer), self.place.value)

    def star_neuron(self) -> None:
        """Star the neuron in front, or remove its star."""
        neuron = self.shown_in_front()
        if neuron is not None and self._network is not None:
            self.memory.toggle(self._network, neuron)
            self._fill_list()

    def focus_search(self) -> None:
        """Give the keyboard focus to the search field."""
        self._search.setFocus()
        self._search.selectAll()

    def show_list(self, number: int) -> None:
        """Give the keyboard focus to one of the lists `NEURONS`, `FED_BY`, `STARRED`, `RECENT`."""
        self._lists.bring_forward(number)
        self._lists.focus()

    def _pressed(self, name: str) -> None:
        slots = {"star": self.star_neuron, "previous": self.previous_neuron}
        slots |= {"next": self.next_neuron, "random": self.random_neuron, "all": self.all_neurons}
        slots[name]()

    def _picked(self, index: int) -> None:
        self._before_search = self._layer
        self.choose(Neuron(self._layer, index, self.place.value))

    def _place_chosen(self) -> None:
        """Show the chains' neurons at the place that was chosen, if they are in the layer."""
        if self._shown and all(neuron.layer == self._layer for neuron in self._shown):
            self._choose_each(self.place.of(self._shown))

    def _choose_each(self, neurons: tuple[Neuron, ...]) -> None:
        """Choose one neuron for each chain, or the same for all."""
        if len(set(neurons)) == 1:
            self.choose(neurons[0])
        else:
            self.chosen.emit(neurons)

    def _browsed(self, layer: str) -> None:
        if layer != self._layer:
            self._layer = layer
            if self._before_search:
                self._before_search = layer
            self._lists.bring_forward(NEURONS)
            self._refresh()

    def _searched(self) -> None:
        if not self._search.text().strip():
            self._layer = self._before_search or self._layer
            self._before_search = ""
        else:
            self._before_search = self._before_search or self._layer
            self._lists.bring_forward(NEURONS)
        self._refresh()

    def _search_confirmed(self) -> None:
        """Show the address that was typed, or the first neuron that was found."""
        if self._index is None:
            return
        typed = self._index.typed(self._search.text())
        if isinstance(typed, str):
            return
        if typed:
            self._choose_each(typed)
            self._leave_search(typed[0].layer)
        elif self._search.text() and self._list.count:
            self._list.pick_first()
            self._leave_search(self._layer)

    def _leave_search(self, layer: str) -> None:
        """Clear the search, and list a whole layer with the chains' neurons highlighted."""
        self._before_search = ""
        self._search.wipe()
        self._browse(layer)
        self._list.setFocus()

    # -- keeping up ------------------------------------------------------------------------------

    def _browse(self, layer: str) -> None:
        """List a layer's neurons without choosing any."""
        self._layer = layer
        self._refresh()

    def _refresh(self) -> None:
        """Filter layers and neurons by the text in the search field."""
        if self._index is None:
            return
        found = self._index.search(self._search.text(), self._layer)
        self._layer = found.layer
        self._tree.leave(found.layers, found.layer)
        self.place.set_layer(self._index.layer(found.layer))
        here = self._shown_here()
        self._list.fill(self._index.texts(found.layer), found.neurons, here)
        if found.problem:
            self._say_nothing(found.problem)
        else:
            self._pages.setCurrentIndex(0)
        self._point()
        self._header.show_count(found, self._index.size(found.layer))
        self._set_enabled()

    def _fill_list(self) -> None:
        """Update the list in front and the star."""
        if self._network is None:
            return
        neuron = self.shown_in_front()
        self._header.show_star(neuron in self.memory.starred(self._network))
        self._set_enabled()
        self._lists.fill(self._network, neuron, self.memory)

    def _point(self) -> None:
        """Select the front chain's neuron in the list of the layer, if it is there."""
        neuron = self.shown_in_front()
        here = neuron is not None and neuron.layer == self._layer
        self._list.point_at(neuron.index if here and neuron is not None else -1)

    def _shown_here(self) -> set[int]:
        return {neuron.index for neuron in self._shown if neuron.layer == self._layer}

    def _say_nothing(self, text: str) -> None:
        self._nothing.setText(text)
        self._pages.setCurrentIndex(1)
        self._set_enabled()

    def _set_enabled(self) -> None:
        some = self._list.count > 0
        self._header.enable(some, one=some and self.shown_in_front() is not None)
        self._search.setEnabled(self._network is not None)
