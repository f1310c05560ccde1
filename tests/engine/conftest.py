"""Sessions on the shipped LeNet, small enough that a test takes a moment."""

import pytest

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes import Change
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.discriminator import Discriminator
from ldam_studio.networks.zoo import DiscriminatorModel, open_network
from ldam_studio.sampler.settings import Settings


@pytest.fixture(scope="session")
def lenet():
    return open_network("lenet")


@pytest.fixture
def untrained_discriminator():
    """A discriminator of the shipped shape, whose weights a seed gives."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Discriminator()
    module.eval().requires_grad_(False)
    return DiscriminatorModel("lenet-discriminator", module, (1, 28, 28))


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
