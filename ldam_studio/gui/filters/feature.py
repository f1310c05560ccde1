"""Connects the panel with the filter to the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.gui.filters.panel import FilterPanel
from ldam_studio.gui.studio import Feature, Studio

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame
    from ldam_studio.networks.network import Network


class Filtering(Feature):
    """Adds the panel with the front neuron's filter below the neuron picker."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        model = studio.model
        self.panel = FilterPanel()
        model.weights_changed.connect(self._show_weights)
        model.comparison_changed.connect(self._show_acted)
        model.acting_changed.connect(self._show_acted)
        studio.frames.read.connect(self._show_frame)
        self._network: Network | None = None
        model.on_session(self._show_session)
        studio.places.add_panel("neurons", self.panel)

    def _show_session(self) -> None:
        self._network = self.studio.model.acted.network
        self.panel.set_network(self._network)

    def _show_acted(self) -> None:
        """Show the network of the lane that is acted on."""
        if self.studio.model.acted.network is not self._network:
            self._show_session()

    def _show_weights(self) -> None:
        self._network = self.studio.model.acted.network
        self.panel.set_weights(self._network)

    def _show_frame(self, frame: Frame) -> None:
        self.panel.show_frame(self.studio.model.acted_frame(frame))
