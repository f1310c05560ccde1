"""Sessions on the shipped LeNet, small enough that a test takes a moment."""

import pytest
import torch
from torch import nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.discriminators import DiscriminatorModel, ImageSizes
from ldam_studio.networks.models.digit_discriminator import DigitDiscriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

SLEEPERS_BIASES = (1.0, -12.0, -1e6, 0.0)


@pytest.fixture(scope="session")
def lenet():
    return open_network("lenet")


@pytest.fixture
def untrained_discriminator():
    """A discriminator of the shipped shape, whose weights a seed gives."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = DigitDiscriminator()
    module.eval().requires_grad_(False)
    return DiscriminatorModel("lenet-discriminator", module, ImageSizes.exactly((1, 28, 28)))


@pytest.fixture
def open_one(lenet):
    """Open a session of `chains` class neurons."""

    def make(chains=3, seed=1, discriminator=None, learn_every=0, **settings):
        return open_session(
            SessionSpec(
                lenet,
                lenet.default_neurons(chains),
                Settings.of(**settings),
                seed=seed,
                discriminator=discriminator,
                learn_every=learn_every,
            )
        )

    return make


@pytest.fixture
def run():
    """Advance a session by steps; `script` maps a step to the changes before it."""

    def go(state, steps, script=None):
        infos = []
        for _ in range(steps):
            changes = [Change(*c) for c in (script or {}).get(state.step, ())]
            state, info = advance(state, changes)
            infos.append(info)
        return state, infos

    return go


@pytest.fixture
def sleepers():
    """Four rectified units: one that answers, one that only large inputs wake, two that none do."""
    module = nn.Sequential()
    module.add_module("flatten", nn.Flatten())
    module.add_module("linear", nn.Linear(16, 4))
    module.add_module("rectifier", nn.ReLU(inplace=True))
    with torch.no_grad():
        module.linear.weight.fill_(1.0)
        module.linear.weight[3].zero_()
        module.linear.bias.copy_(torch.tensor(SLEEPERS_BIASES))
    return Network("sleepers", module, PixelSpec(1, 4, 4, (0.0,), (1.0,)))


@pytest.fixture
def open_on(sleepers):
    def make(*neurons, seed=3, **settings):
        return open_session(SessionSpec(sleepers, neurons, Settings.of(**settings), seed=seed))

    return make
