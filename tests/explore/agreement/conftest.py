"""Sessions on the shipped LeNet."""

import pytest

from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings


@pytest.fixture
def lenet_session():
    """Open a session on these neurons."""

    def make(neurons=("fc3:4",), **settings):
        chosen = tuple(map(Neuron.parse, neurons))
        return open_session(SessionSpec(open_network("lenet"), chosen, Settings.of(**settings)))

    return make
