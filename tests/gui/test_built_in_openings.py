"""What a built-in network opens with: its classes and its discriminator, at a pace that suits."""

from __future__ import annotations

import pytest

from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import choose
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.networks.discriminators import discriminator_for
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.opening import open_network


@pytest.mark.parametrize("name", NETWORKS)
def test_it_opens_with_its_classes_and_its_discriminator(name: str) -> None:
    network = open_network(name)
    opening = network_opening(network, choose("cpu"))
    state, _ = advance(opening.make())
    assert opening.title == name
    assert [neuron.index for neuron in state.lane.neurons] == list(range(10))
    assert {neuron.layer for neuron in state.lane.neurons} == {network.layers[-1].name}
    assert state.discriminator is not None
    assert state.discriminator.name == discriminator_for(network)
    assert state.lane.chains.x.isfinite().all()
