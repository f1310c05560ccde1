"""Other weights under running chains, as a network that is being trained gets them."""

from __future__ import annotations

import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes import Change
from ldam_studio.errors import StudioError
from ldam_studio.export.png import export
from ldam_studio.export.recipe import Shown
from ldam_studio.export.replay import compare
from ldam_studio.networks.lenet import LeNet5
from ldam_studio.networks.weights import read_saved
from ldam_studio.networks.zoo import open_network
from ldam_studio.training import CheckpointWriter


@pytest.fixture
def later(tmp_path, lenet):
    """LeNet with the weights of a made-up training step."""
    torch.manual_seed(3)
    path = CheckpointWriter(tmp_path).write(LeNet5(), step=7)
    saved, sha256 = read_saved(path)
    return lenet.with_weights(saved, path, sha256)


def test_a_twin_is_the_network_opened_with_these_weights(later, lenet):
    opened = open_network("lenet", later.weights)
    x = torch.rand((2, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    for layer in lenet.layers:
        assert torch.equal(later.output(x, layer.name), opened.output(x, layer.name))
    assert later.reference == opened.reference
    assert later.receptive_field("conv2") == opened.receptive_field("conv2")
    assert not torch.equal(lenet.output(x, "fc3"), later.output(x, "fc3"))


def test_chains_go_on_under_other_weights(open_one, later, run):
    state, _ = run(open_one(), 5)
    x, samples = state.lane.chains.x.clone(), state.lane.average.count.clone()
    state, info = advance(state, [Change("weights", later)], budget=0)
    assert torch.equal(state.lane.chains.x, x)
    assert torch.equal(state.lane.average.count, samples)
    assert info.marks == (f"weights {later.weights.name}",)
    state, info = advance(state)
    units = later.units(state.lane.neurons)
    assert torch.allclose(info.activation, later.activation(x, units), rtol=1e-4, atol=1e-5)


def test_the_noise_is_that_of_chains_without_it(open_one, later, run):
    settings = {"mode": "exact", "l2": 0.0, "discriminator_weight": 0.0}
    free, _ = run(open_one(**settings), 3)
    swapped, _ = run(open_one(**settings), 3)
    free, _ = advance(free)
    swapped, _ = advance(swapped, [Change("weights", later)])
    for name in free.generators.state():
        assert torch.equal(free.generators.state()[name], swapped.generators.state()[name])


def test_a_picture_of_it_replays(open_one, later, run, tmp_path):
    state, _ = run(open_one(), 12, {6: [("weights", later)]})
    exported = export(state, Shown(), tmp_path / "picture.png")
    assert compare(exported.path).identical


def test_another_architecture_is_refused(open_one, tmp_path, lenet):
    path = CheckpointWriter(tmp_path).write(torch.nn.Linear(3, 4), step=1)
    saved, sha256 = read_saved(path)
    with pytest.raises(StudioError, match="another architecture"):
        lenet.with_weights(saved, path, sha256)


def test_weights_that_diverged_are_refused(tmp_path, lenet):
    module = LeNet5()
    torch.nn.init.constant_(module.fc3.bias, torch.nan)
    path = CheckpointWriter(tmp_path).write(module, step=1)
    saved, sha256 = read_saved(path)
    with pytest.raises(StudioError, match="not finite"):
        lenet.with_weights(saved, path, sha256)
