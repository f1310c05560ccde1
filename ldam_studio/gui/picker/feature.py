"""Connects the neuron picker to the session, and fills the menu Neuron."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ldam_studio.gui.picker.picker import NeuronPicker
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.networks.anatomy.objectives import MEAN as MEAN_OF_PLACES

if TYPE_CHECKING:
    from PyQt6.QtGui import QAction

FIND = Entry("find_neuron", "Find Neuron…", "Ctrl+F", "Type a layer, a class or an address")
NEXT = Entry("next_neuron", "Next Neuron", "Ctrl+Right", "Show the neuron after this one")
PREVIOUS = Entry(
    "previous_neuron", "Previous Neuron", "Ctrl+Left", "Show the neuron before this one"
)
RANDOM = Entry("random_neuron", "Random Neuron", "Ctrl+R", "Show a random neuron of this layer")
MEAN = Entry(
    "mean_over_places",
    "Mean over All Places",
    "Ctrl+M",
    "Show the mean of a channel's units, or again its unit at the centre",
    checkable=True,
)
STAR = Entry(
    "star_neuron", "Star This Neuron", "Ctrl+D", "Star the neuron in front, or remove its star"
)
LISTS = (
    Entry("list_neurons", "Neurons of the Layer", "Alt+1", "List the layer's neurons"),
    Entry("list_feeding", "What Feeds It", "Alt+2", "List the inputs with the largest weights"),
    Entry("list_starred", "Starred Neurons", "Alt+3", "List the neurons that you starred"),
    Entry("list_recent", "Recent Neurons", "Alt+4", "List the neurons that you looked at last"),
)
FILE = "neurons.json"


class Picking(Feature):
    """Adds the neuron picker at the left, and fills the menu Neuron."""

    entries = (FIND, NEXT, PREVIOUS, RANDOM, MEAN, STAR, *LISTS)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        model, places = studio.model, studio.places
        self.picker = NeuronPicker()
        self.picker.chosen.connect(studio.controller.set_neurons)
        self.picker.spread.connect(studio.controller.spread)
        if studio.folder is not None:
            self.picker.remember(studio.folder / FILE)
        self._add_entries()
        model.neurons_changed.connect(self._show_neurons)
        model.front_changed.connect(self.picker.set_front)
        model.weights_changed.connect(self._show_weights)
        model.comparison_changed.connect(self._show_acted)
        model.acting_changed.connect(self._show_acted)
        model.on_session(self._show_session)
        places.add_panel("neurons", self.picker)
        studio.listed_layer = lambda: self.picker.layer

    def _add_entries(self) -> None:
        places, picker = self.studio.places, self.picker
        places.add_to_menu(
            "Neuron",
            places.action(FIND, self.find),
            places.action(NEXT, picker.next_neuron),
            places.action(PREVIOUS, picker.previous_neuron),
            places.action(RANDOM, picker.random_neuron),
        )
        mean = places.action(MEAN, picker.place.toggle)
        picker.place.changed.connect(lambda: self._show_place(mean))
        self._show_place(mean)
        places.add_to_menu("Neuron", mean)
        lists = [
            places.action(entry, partial(self._show_list, number))
            for number, entry in enumerate(LISTS)
        ]
        places.add_to_menu("Neuron", places.action(STAR, picker.star_neuron), *lists)

    def find(self) -> None:
        """Show the picker with the focus in its search field."""
        self.studio.places.show_panel("neurons")
        self.picker.focus_search()

    def remember(self) -> Mapping[str, Any]:
        """Save the starred and recent neurons in a file of their own."""
        self.picker.memory.save()
        return {}

    def _show_place(self, mean: QAction) -> None:
        mean.setEnabled(self.picker.place.has_places)
        mean.setChecked(self.picker.place.value == MEAN_OF_PLACES)

    def _show_list(self, number: int) -> None:
        self.studio.places.show_panel("neurons")
        self.picker.show_list(number)

    def _show_session(self) -> None:
        acted = self.studio.model.acted
        self.picker.set_network(acted.network)
        self.picker.set_neurons(acted.neurons, self.studio.model.front)

    def _show_acted(self) -> None:
        """Show the neurons of the lane that is acted on."""
        acted = self.studio.model.acted
        if self.picker.network is not acted.network:
            self.picker.set_network(acted.network)
        self.picker.set_neurons(acted.neurons, self.studio.model.front)

    def _show_neurons(self) -> None:
        model = self.studio.model
        self.picker.set_neurons(model.acted.neurons, model.front)

    def _show_weights(self) -> None:
        self.picker.set_weights(self.studio.model.acted.network)
