"""The choice between one unit of a channel and its mean over all places."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt6.QtCore import pyqtSignal

from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.networks.anatomy.objectives import MEAN, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldam_studio.networks.anatomy.layers import Layer
    from ldam_studio.networks.neurons import Neuron

CENTRE_TEXT, MEAN_TEXT = "Unit at the centre", "Mean over all places"
TIP = (
    "What of a channel is made large: one unit, which sees its receptive field, or the mean of all "
    "its units, which fills the image (Ctrl+M)"
)


class PlaceChoice(QuietCombo):
    """The place at which neurons of the listed layer are picked; hidden in layers without places.

    A place that was typed in an address is a third choice, while the chains show it.
    """

    chosen = pyqtSignal()  # the user chose; `value` has the place
    changed = pyqtSignal()  # another place is shown, or other layers' places

    def __init__(self) -> None:
        super().__init__()
        self._layer = ""
        self._has_places = False
        self.setAccessibleName("Value of a channel")
        present(self.view()).setAccessibleName("Values of a channel")
        self.setToolTip(TIP)
        self.addItem(CENTRE_TEXT, None)
        self.addItem(MEAN_TEXT, MEAN)
        self.activated.connect(lambda _row: self.chosen.emit())
        self.currentIndexChanged.connect(lambda _row: self.changed.emit())
        self.hide()

    @property
    def value(self) -> Place:
        """The place that an address of a neuron has; None for the centre."""
        place: Place = self.currentData() if self._has_places else None
        return place

    def of(self, neurons: Sequence[Neuron]) -> tuple[Neuron, ...]:
        """Return neurons of the layer with this place."""
        return tuple(replace(neuron, place=self.value) for neuron in neurons)

    @property
    def has_places(self) -> bool:
        """Whether the layer's channels have a unit for each place of a map."""
        return self._has_places

    def set_layer(self, layer: Layer) -> None:
        """Offer the places of a layer. A mean stays chosen; the place of one unit does not."""
        if layer.name != self._layer:
            self._layer = layer.name
            if isinstance(self.currentData(), tuple):
                self.show_place(None)
        self._has_places = len(layer.places) == 2
        self.setVisible(self._has_places)
        self.changed.emit()

    def show_place(self, place: Place) -> None:
        """Show the place of the neurons that the chains show."""
        if not self._has_places:
            return
        while self.count() > 2:
            self.removeItem(2)
        if place not in (None, MEAN):
            at = f"Unit at {', '.join(map(str, place))}" if isinstance(place, tuple) else place
            self.addItem(at, place)
        self.setCurrentIndex(0 if place is None else 1 if place == MEAN else 2)

    def toggle(self) -> None:
        """Choose the mean, or the centre if the mean is chosen."""
        if self._has_places:
            self.setCurrentIndex(0 if self.currentData() == MEAN else 1)
            self.chosen.emit()
