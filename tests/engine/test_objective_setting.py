"""The setting `objective`: chains, display, burn-in and silent neurons use one value."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.burn_in_threshold import NOISE_IMAGES, NOISE_QUANTILE
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export.exporting import export
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import Settings


def log_p(lane, x):
    return (
        lane.network.output(x, "fc3").log_softmax(1).gather(1, lane.targets.units.indices[:, None])
    )


def test_the_value_that_is_shown_is_the_objectives(open_one, run):
    state = open_one(objective="log-probability")
    before = state.lane.chains.x
    expected = log_p(state.lane, before).squeeze(1)
    _, infos = run(state, 1)
    torch.testing.assert_close(infos[0].lanes[0].activation, expected)


def test_a_change_of_it_counts_from_the_next_step(open_one, run):
    fresh, _ = run(open_one(objective="mix"), 1)
    state, infos = run(open_one(), 2, {0: [("objective", "mix")]})
    one, _ = run(open_one(objective="mix"), 2)
    assert torch.equal(state.lane.chains.x, one.lane.chains.x)
    assert infos[0].told == ("objective mix",)
    state, _ = run(state, 1, {2: [("objective", "activation")]})
    assert state.lane.targets.units.class_value is None
    assert not state.lane.waking.calm or state.lane.waking.answered.all()
    assert not torch.equal(fresh.lane.chains.x, state.lane.chains.x)


def test_the_burn_in_threshold_is_measured_with_it(open_one, run):
    state, _ = run(open_one(objective="log-probability"), 2)
    lane = state.lane
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((NOISE_IMAGES, 1, 28, 28), generator=generator)
    outputs = lane.network.output(lane.settings.start_spread * noise, "fc3").log_softmax(1)
    expected = outputs[:, lane.targets.units.indices].quantile(NOISE_QUANTILE, dim=0)
    torch.testing.assert_close(lane.thresholds.values, expected)


def test_a_hidden_neuron_does_not_notice_it(lenet, run):
    def at(objective):
        neurons = (Neuron.parse("conv2:3"), Neuron.parse("conv2:4"))
        settings = Settings.of(objective=objective)
        return run(open_session(SessionSpec(lenet, neurons, settings, seed=1)), 3)[0].lane.chains.x

    assert torch.equal(at("mix"), at("activation"))


def test_a_negative_sign_makes_it_small(lenet):
    spec = SessionSpec(lenet, (Neuron("fc3", 3),), Settings.of(objective="mix"), seed=1)
    up, down = (
        open_session(spec),
        open_session(replace(spec, neurons=(Neuron("fc3", 3, None, -1),))),
    )
    value, gradient = activation_of(up.lane, up.device)(up.lane.chains.x)
    minus, slope = activation_of(down.lane, down.device)(down.lane.chains.x)
    assert torch.equal(value, -minus) and torch.equal(gradient, -slope)


@pytest.mark.parametrize("kernel", ["langevin", "mala"])
def test_replay_is_exact(open_one, run, kernel, tmp_path):
    state = open_one(kernel=kernel, jitter=1, views=2)
    changes = {2: [("objective", "mix")], 4: [("objective", "log-probability")]}
    state, _ = run(state, 6, changes)
    export(state, Shown("raw"), tmp_path / "a.png")
    found = compare(tmp_path / "a.png")
    assert found is not None and found.identical


def test_before_its_rectifier_no_neuron_is_silent(sleepers, run):
    neurons = tuple(Neuron("rectifier", i) for i in range(3))
    for objective, asleep in (("activation", [False, True, True]), ("pre-activation", [False] * 3)):
        spec = SessionSpec(sleepers, neurons, Settings.of(objective=objective), seed=1)
        state, _ = run(open_session(spec), 1)
        assert (state.lane.waking.quiet > 0).tolist() == asleep
