"""The lists of the neuron picker, in tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QStackedLayout, QTabBar, QVBoxLayout, QWidget

from ldam_studio.gui.picker.entries import entries_feeding, entries_of
from ldam_studio.gui.picker.layer_list import LayerList
from ldam_studio.gui.picker.lists import EntryPage

if TYPE_CHECKING:
    from ldam_studio.gui.picker.memory import NeuronMemory
    from ldam_studio.gui.picker.place_choice import PlaceChoice
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.neurons import Neuron

TABS = {
    "Neurons": "The neurons of the layer",
    "Fed by": "The inputs of the neuron in front that have the largest weights",
    "Starred": "The neurons that you starred in this network",
    "Recent": "The neurons that you looked at last",
}
NEURONS, FED_BY, STARRED, RECENT = range(4)
NO_STARS = "No neuron is starred. Press the star above to add the one on the screen to this list."


class NeuronLists(QWidget):
    """Tabs with the neurons of a layer, and with lists of neurons from the whole network."""

    chosen = pyqtSignal(object)  # Neuron, from any list but the first
    turned = pyqtSignal()  # another list is in front

    def __init__(self, of_layer: LayerList, place: PlaceChoice) -> None:
        super().__init__()
        self._tabs = QTabBar()
        self._tabs.setAccessibleName("Lists of neurons")
        self._tabs.setProperty("compact", True)
        self._tabs.setDrawBase(False)
        self._tabs.setUsesScrollButtons(False)
        self._tabs.setElideMode(Qt.TextElideMode.ElideRight)
        for number, (title, tip) in enumerate(TABS.items()):
            self._tabs.addTab(title)
            self._tabs.setTabToolTip(number, tip)
        self._of_layer = of_layer
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._tabs)
        self._stack = QStackedLayout()
        # Before it has pages: a page without a parent would open a window of its own.
        column.addLayout(self._stack, 1)
        page = QWidget()
        listed = QVBoxLayout(page)
        listed.setContentsMargins(0, 0, 0, 0)
        listed.setSpacing(4)
        listed.addWidget(place)
        listed.addWidget(of_layer, 1)
        self._stack.addWidget(page)
        self.pages = {number: EntryPage(TABS[title]) for number, title in enumerate(TABS) if number}
        for page in self.pages.values():
            page.chosen.connect(self.chosen)
            self._stack.addWidget(page)
        self._tabs.currentChanged.connect(self._turn)

    @property
    def front(self) -> int:
        """The list in front: `NEURONS`, `FED_BY`, `STARRED` or `RECENT`."""
        return self._tabs.currentIndex()

    def bring_forward(self, number: int) -> None:
        """Put a list in front."""
        self._tabs.setCurrentIndex(number)

    def focus(self) -> None:
        """Give the keyboard focus to the list in front."""
        (self.pages[self.front].list if self.front else self._of_layer).setFocus()

    def fill(self, network: Network, shown: Neuron | None, memory: NeuronMemory) -> None:
        """Fill the list in front.

        Parameters
        ----------
        network
            The network whose neurons are listed.
        shown
            The neuron in front; None if there is none.
        memory
            The recent and starred neurons.
        """
        page = self.pages.get(self.front)
        if page is None:
            return
        if self.front == FED_BY and shown is None:
            page.fill([], shown, head="", empty="Choose one neuron to see what feeds it.")
        elif self.front == FED_BY and shown is not None:
            entries, words = entries_feeding(network, shown)
            page.fill(entries, shown, head=words, empty=words)
        elif self.front == STARRED:
            entries = entries_of(network, memory.starred(network))
            page.fill(entries, shown, head="", empty=NO_STARS)
        else:
            entries = entries_of(network, memory.recent(network))
            page.fill(entries, shown, head="", empty="The neurons that you choose are kept here.")

    def _turn(self) -> None:
        self._stack.setCurrentIndex(self.front)
        self.turned.emit()
