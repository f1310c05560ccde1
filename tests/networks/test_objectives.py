"""A further objective is one row: it is written in addresses, checked, read, sampled, recorded."""

from __future__ import annotations

import json

import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.anatomy import objectives
from ldam_studio.networks.anatomy.objectives import OBJECTIVES, ObjectiveKind, explained, usages
from ldam_studio.networks.neurons import Neuron, parse_neurons
from ldam_studio.networks.sources.opening import open_network


def _log_probability(output: torch.Tensor, _text: str) -> torch.Tensor:
    return output.flatten(2).mean(2).log_softmax(1) if output.ndim > 2 else output.log_softmax(1)


def _power_mean(output: torch.Tensor, text: str) -> torch.Tensor:
    power = float(text.removeprefix("power"))
    return output.flatten(2).abs().pow(power).mean(2)


@pytest.fixture
def further(monkeypatch):
    rows = (
        ObjectiveKind("@logp", "log p", "logp", _log_probability, needs_places=False),
        ObjectiveKind("@powerN", "the mean of a power", r"power\d+", _power_mean),
    )
    monkeypatch.setattr(objectives, "OBJECTIVES", (*OBJECTIVES, *rows))


@pytest.fixture(scope="module")
def lenet():
    return open_network("lenet")


def read(network, x, *addresses):
    neurons = [network.check(Neuron.parse(text)) for text in addresses]
    return network.activation(x, network.units(neurons))


def test_units_and_means_are_what_they_were(lenet):
    """Compared with what the layer's output says, to the bit."""
    x = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    output = lenet.output(x, "conv1")
    means = output.flatten(2).mean(2)
    found = read(lenet, x, "conv1:0", "conv1:1@mean", "-conv1:2@3,4", "-conv1:3@mean")
    expected = torch.stack([output[0, 0, 14, 14], means[1, 1], -output[2, 2, 3, 4], -means[3, 3]])
    assert torch.equal(found, expected)
    units = lenet.units([Neuron("conv1", 5, "mean", -1), Neuron("conv1", 2)])
    assert torch.equal(units.read_all(output)[:, 0], -means[:, 5])
    assert torch.equal(units.read_all(output)[:, 1], output[:, 2, 14, 14])
    assert torch.equal(units.first(1).read_all(output), units.read_all(output)[:, :1])


def test_an_address_says_which_it_is(further, lenet):
    assert usages().startswith("@Y,X or @TOKEN, @mean") and usages().endswith(", @logp or @powerN")
    assert explained().endswith(", @logp (log p) or @powerN (the mean of a power)")
    for text in ("fc3:4@logp", "-conv1:2@power3", "conv1:2@3,4", "conv1:2@mean", "conv1:5"):
        assert str(Neuron.parse(text)) == text
    assert parse_neurons("fc3:0-1@logp") == [Neuron("fc3", i, "logp") for i in (0, 1)]
    with pytest.raises(StudioError, match=r"is not a neuron; .*@powerN"):
        Neuron.parse("fc3:4@power")
    with pytest.raises(StudioError, match=r"fc3 has no places; leave out @power2"):
        lenet.check(Neuron.parse("fc3:4@power2"))
    assert lenet.check(Neuron.parse("fc3:4@logp")).place == "logp"


def test_its_value_is_computed_from_the_output(further, lenet):
    x = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    output = lenet.output(x, "fc3")
    found = read(lenet, x, "fc3:4@logp", "fc3:4", "-fc3:7@logp")
    logp = output.log_softmax(1)
    assert torch.equal(found, torch.stack([logp[0, 4], output[1, 4], -logp[2, 7]]))
    output = lenet.output(x, "conv2")
    found = read(lenet, x, "conv2:4@power2", "conv2:4@power1", "conv2:4@mean")
    squares, sizes = output[0, 4].square().mean(), output[1, 4].abs().mean()
    torch.testing.assert_close(found, torch.stack([squares, sizes, output[2, 4].mean()]))


def test_chains_climb_it_and_the_whole_image_is_seen(further, lenet):
    neurons = (Neuron.parse("fc3:4@logp"), Neuron.parse("fc3:4"))
    assert lenet.receptive_field("conv1", "power2") is None
    assert lenet.crop("conv1", "power2") is None
    state = open_session(SessionSpec(lenet, neurons, seed=1))
    before = state.lane.chains.x.clone()
    for _ in range(3):
        state, _ = advance(state)
    assert not torch.equal(state.lane.chains.x, before)
    assert [str(neuron) for neuron in state.lane.neurons] == ["fc3:4@logp", "fc3:4"]


def test_a_picture_of_it_replays_to_the_same_pixels(further, lenet, tmp_path):
    neurons = (Neuron.parse("-fc3:4@logp"), Neuron.parse("fc3:5@logp"))
    state = open_session(SessionSpec(lenet, neurons, seed=1))
    for _ in range(4):
        state, _ = advance(state)
    export(state, Shown("raw"), tmp_path / "a.png")
    recipe = json.dumps(read_recipe(tmp_path / "a.png").data["end"])
    assert '["-fc3:4@logp", "fc3:5@logp"]' in recipe
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical
