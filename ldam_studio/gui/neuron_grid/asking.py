"""The settings with which many neurons of a layer are drawn: those of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.gui.per_lane import PerLane
from ldam_studio.networks.neurons import Neuron

if TYPE_CHECKING:
    from ldam_studio.gui.studio import Studio
    from ldam_studio.sampler.settings import Settings


def settings_of(studio: Studio, layer: str) -> Settings:
    """Return those of the session, or what they become when it turns to another layer."""
    model = studio.model
    lane = model.acted
    if layer == lane.neurons[0].layer:
        return lane.settings
    turned = studio.controller.suited_to((Neuron(layer, 0),) * model.chains)
    number = model.acting or 0
    own = {n: v[number] if isinstance(v, PerLane) else v for n, v in turned.items()}
    return lane.settings.with_values(own)
