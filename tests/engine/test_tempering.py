"""Ladders of temperatures in a session: who forms them, what is averaged, replay and storing."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ldam_studio.engine import serialise
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import Heated
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.frame import FrameRequest, make_frame
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.setting_notes import setting_notes
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.export.shown import Shown, picture_of
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.average import of_chains
from ldam_studio.sampler.settings import Settings
from ldam_studio.sampler.tempering import BAND

FOUR = {"mode": "exact", "kernel": "mala", "tempering": 4, "temperature": 0.05}
SPREAD, WEIGHT = 0.1, 0.7


@pytest.fixture
def open_ladders(lenet):
    """Open a session of chains of one class neuron."""

    def make(chains=8, neurons=None, **settings):
        neurons = neurons or (Neuron("fc3", 4),) * chains
        return open_session(SessionSpec(lenet, neurons, Settings.of(**FOUR | settings), seed=1))

    return make


def same(one, other):
    for a, b in zip(one.lanes, other.lanes, strict=True):
        assert torch.equal(a.chains.x, b.chains.x)
        assert torch.equal(a.average.mean, b.average.mean)
        assert torch.equal(a.parameters.temperature, b.parameters.temperature)
        for name in ("gap", "tried", "rate", "descending", "trips"):
            assert torch.equal(getattr(a.tempering, name), getattr(b.tempering, name))
        assert all(torch.equal(t, b.chains.memory[n]) for n, t in a.chains.memory.items())


class TwoHills(nn.Module):
    """Two Gaussians twenty standard deviations apart, the second of weight .7."""

    def forward(self, x):
        x = x.flatten(1)
        first = -x.square().sum(1) / (2 * SPREAD**2)
        second = -(x - 1).square().sum(1) / (2 * SPREAD**2) + math.log(WEIGHT / (1 - WEIGHT))
        return torch.logaddexp(first, second)[:, None]


def test_cold_chains_cross_between_modes_and_are_averaged_alone():
    module = nn.Sequential()
    module.add_module("hills", TwoHills())
    network = Network("hills", module, PixelSpec(1, 2, 2, (0.0,), (1.0,)))
    values = {"mode": "exact", "kernel": "mala", "l2": 0.0, "temperature": 1.0, "burn_in": 200}
    values |= {"step_size": 0.008, "start_spread": 0.05}

    def shares(steps, **more):
        settings = Settings.of(**values, **more)
        neurons = (Neuron("hills", 0),) * (8 * 5)
        state = open_session(SessionSpec(network, neurons, settings, seed=3))
        for _ in range(steps):
            state, _ = advance(state)
        return state

    alone = shares(200)
    assert float(alone.lane.chains.x.mean((1, 2, 3)).max()) < 0.5
    state = shares(900, tempering=5)
    found = state.lane.tempering
    rates = found.rate.reshape(8, 5)[:, 1:].mean(0).tolist()
    assert all(BAND[0] < rate < BAND[1] for rate in rates)
    cold = state.lane.own_chains
    assert cold == list(range(0, 40, 5))
    counts = state.lane.average.count
    assert counts[cold].tolist() == [700] * 8 and int(counts.sum()) == 8 * 700
    means = state.lane.average.mean[cold].mean((1, 2, 3))
    assert float(means.mean()) == pytest.approx(WEIGHT, abs=4 * float(means.std()) / math.sqrt(8))
    assert bool(((means > 0.1) & (means < 0.95)).all())  # each has been in both
    shown = state.lane.shown_average()
    assert torch.equal(shown.mean[7], state.lane.average.mean[5])
    assert shown.count.tolist() == [700] * 40


@pytest.mark.parametrize("over", ["chains", "both"])
def test_averages_over_chains_are_of_cold_chains(open_ladders, run, over):
    state, _ = run(open_ladders(average_over=over, burn_in=0), 6)
    lane, cold = state.lane, state.lane.own_chains
    x = lane.chains.x if over == "chains" else lane.average.mean
    torch.testing.assert_close(lane.shown_average().mean[3], x[cold].mean(0))


def test_a_hot_chain_shows_the_averaging_group_of_the_coldest(open_ladders, run):
    state, _ = run(open_ladders(average_over="both", average_group=(1, 0) * 4, burn_in=0), 6)
    shown = state.lane.shown_average()
    assert torch.equal(shown.mean[3], shown.mean[0]) and int(shown.count.min()) > 0


def test_temperatures_rise_along_each_ladder_of_a_neuron(open_ladders, run):
    seven, one = Neuron("fc3", 7), Neuron("fc3", 1)
    state, _ = run(open_ladders(neurons=(seven, one, seven, seven, one, seven, seven, seven)), 3)
    t = state.lane.parameters.temperature.flatten()
    assert float(t[0]) == float(t[1]) == float(t[6]) == pytest.approx(0.05)
    assert t[0] < t[2] < t[3] < t[5] and t[1] < t[4] and t[6] < t[7]
    assert setting_notes(state.lane)["tempering"] == "3 ladders of 4 rungs."
    state, _ = advance(state, [Change("temperature", (0.1, 0.2) + 6 * (9.0,))], 0)
    assert state.lane.parameters.temperature.flatten()[:2].tolist() == pytest.approx([0.1, 0.2])
    assert state.lane.parameters.temperature.flatten()[2] < 0.2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kernel": "langevin", "mode": "normalised"}, "only the mode exact"),
        ({"kernel": "bidmach"}, "its density is not known"),
        ({"temperature": 0.0}, "at temperature 0"),
        ({"temperature": (0.1, 0.0)}, "at temperature 0"),
        ({"neurons": (Neuron("fc3", 1), Neuron("fc3", 2))}, "raise Chains"),
        ({"chains": 1}, "raise Chains"),
    ],
)
def test_where_there_are_no_ladders_a_sentence_says_why(open_ladders, run, settings, words):
    state, infos = run(open_ladders(**settings), 2)
    assert state.lane.tempering is None
    assert words in setting_notes(state.lane)["tempering"]
    assert not any(info.refused for info in infos)


def test_notes_on_ladders_that_are_short_or_not_exact(open_ladders):
    state = open_ladders(chains=3, kernel="underdamped")
    assert setting_notes(state.lane)["tempering"] == (
        "1 ladder of 3 rungs; each rung needs a chain of the same neuron. The kernel mala makes "
        "it exact."
    )
    assert "tempering" not in setting_notes(open_ladders(tempering=0).lane)


@pytest.mark.parametrize("kernel", ["langevin", "underdamped", "mala"])
def test_ladders_replay_bit_for_bit_through_changes(open_ladders, run, lenet, kernel):
    script = {
        2: [("melt", 3)],
        4: [("compare", LaneSpec(lenet, settings=Settings.of(kernel="mala"), restart=False))],
        7: [("temperature", 0.1), ("jitter", 2), ("smoothness", 0.1)],
        9: [("l2", (0.5, 0.4, 0.3, 0.2, 0.5, 0.4, 0.3, 0.2))],
        11: [("neurons", (Neuron("fc3", 7),)), ("chains", 9)],
        13: [("keep", (0, 2, 3, 5)), ("tempering", 3)],
        15: [("compare", None)],
    }
    one, infos = run(open_ladders(kernel=kernel), 17, script)
    other, _ = run(open_ladders(kernel=kernel), 17, script)
    assert not any(info.refused for info in infos)
    same(one, other)
    assert one.lane.tempering.ladders.rungs == (0, 1, 2, 0)


@pytest.mark.parametrize("kernel", ["underdamped", "mala"])
def test_stored_ladders_and_snapshots_go_on_with_the_same_bits(open_ladders, run, kernel):
    state, _ = run(open_ladders(kernel=kernel), 9)
    kept = snapshot(state)
    tensors, about = serialise.to_tensors(state)
    again = serialise.from_tensors(tensors, json.loads(json.dumps(about)))
    same(state, again)
    ahead = run(state, 6)[0]
    same(ahead, run(again, 6)[0])
    same(ahead, run(kept, 6)[0])


@pytest.mark.parametrize(
    "broken",
    [
        lambda tensors: tensors.pop("lanes.0.tempering.gap"),
        lambda tensors: tensors["lanes.0.tempering.gap"].fill_(torch.nan),
        lambda tensors: tensors["lanes.0.tempering.gap"].fill_(-1.0),
        lambda tensors: tensors.update({"lanes.0.tempering.trips": torch.zeros(3)}),
    ],
)
def test_damaged_ladders_in_a_file_are_refused(open_ladders, run, broken):
    tensors, about = serialise.to_tensors(run(open_ladders(), 2)[0])
    broken(tensors)
    with pytest.raises(StudioError, match="incomplete or damaged"):
        serialise.from_tensors(tensors, about)


def test_steps_that_are_confirmed_later_are_the_same(open_ladders):
    plain, lagging = open_ladders(), open_ladders()
    for _ in range(6):
        plain, _ = advance(plain)
        lagging, _ = advance(lagging, lag=3)
    lagging, _ = advance(lagging, budget=0)
    same(plain, lagging)


def test_a_session_without_ladders_is_the_same_with_the_setting(open_ladders, run):
    plain, _ = run(open_ladders(tempering=0), 5)
    without, _ = run(open_ladders(tempering=1), 5)
    assert torch.equal(plain.lane.chains.x, without.lane.chains.x)
    assert "swap/0" not in plain.generators.state()


def test_a_step_with_ladders_evaluates_the_network_as_often_as_one_without(
    open_ladders, monkeypatch
):
    calls = []
    whole = Network.activation
    monkeypatch.setattr(Network, "activation", lambda *given: (calls.append(1), whole(*given))[1])
    for kernel, passes in (("langevin", 1), ("mala", 2)):
        state = open_ladders(kernel=kernel, threshold=0.0)
        calls.clear()
        advance(state)
        assert len(calls) == passes


def test_melting_heats_the_ladder_and_leaves_its_gaps(open_ladders, run):
    state, _ = run(open_ladders(), 3)
    before, gaps = state.lane.parameters.temperature, state.lane.tempering.gap
    state, _ = advance(state, [Change("heat", 100.0)])
    torch.testing.assert_close(state.lane.parameters.temperature, 100 * before)
    assert torch.equal(state.lane.tempering.gap, gaps)
    state, _ = advance(state, [Change("heat", 1.0)], 0)
    torch.testing.assert_close(state.lane.parameters.temperature, before)
    assert torch.equal(state.lane.tempering.gap, gaps)
    assert not state.lane.tempering.tried.any()


def test_a_chain_that_melts_alone_is_hot_and_held_chains_keep_their_images(open_ladders, run):
    state, _ = run(open_ladders(), 3)
    before = state.lane.parameters.temperature.flatten()
    state, info = advance(state, [Change("heat_some", Heated((0, 2), 10.0))])
    assert not info.refused
    heats = torch.tensor([10.0, 1, 10, 1, 1, 1, 1, 1])
    torch.testing.assert_close(state.lane.parameters.temperature.flatten(), heats * before)
    x, tried = state.lane.chains.x, state.lane.tempering.tried
    state, info = run(state, 8, {4: [("heat_some", Heated((0, 2), 1.0)), ("hold", (1,))]})
    assert torch.equal(state.lane.chains.x[1], x[1])
    more = state.lane.tempering.tried - tried
    assert more.tolist()[1:4] == [0, 0, 4] and more.tolist()[5:] == [4, 4, 4]
    spread = torch.cdist(state.lane.chains.x.flatten(1), state.lane.chains.x.flatten(1))
    assert float((spread + 1e9 * torch.eye(8)).min()) > 0  # no image is there twice


def test_the_discriminator_learns_from_cold_chains(
    lenet, untrained_discriminator, monkeypatch, run
):
    from ldam_studio.engine import lessons

    shown = []
    monkeypatch.setattr(
        lessons, "learn", lambda learner, _real, fake: (shown.append(fake), (learner, None))[1:][0]
    )
    spec = SessionSpec(
        lenet,
        (Neuron("fc3", 4),) * 8,
        Settings.of(**FOUR, discriminator_weight=0.5),
        discriminator=untrained_discriminator,
        learn_every=1,
    )
    state, _ = run(open_session(spec), 1)
    assert torch.equal(shown[0], state.lane.chains.x[[0, 4]])


def test_exported_averages_are_those_of_cold_chains(open_ladders, run):
    state, _ = run(open_ladders(burn_in=0), 4)
    average = state.lane.average.mean
    two = open_ladders(chains=2, tempering=0, burn_in=0)
    two.lanes = (replace(two.lane, average=of_chains(state.lane.average, torch.tensor([0, 4]))),)
    assert np.array_equal(
        picture_of(state, Shown("averages", scale=1.0)),
        picture_of(two, Shown("averages", scale=1.0)),
    )
    hot = picture_of(state, Shown("average", front=6, scale=1.0))
    assert np.array_equal(hot, picture_of(state, Shown("average", front=4, scale=1.0)))
    assert not average[6].any()
    assert picture_of(state, Shown("strip")).shape != picture_of(state, Shown("averages")).shape


def test_a_frame_tells_of_the_ladders(open_ladders, run):
    state, infos = run(open_ladders(), 4)
    told = {"infos": infos, "notices": (), "steps_per_second": 0.0, "lesson": None}
    frame = make_frame(state, FrameRequest(front=2), number=1, commands_seen=0, **told).lanes[0]
    assert frame.ladders.rung.tolist() == [0, 1, 2, 3] * 2
    assert frame.ladders.cold.tolist() == [0] * 4 + [4] * 4
    assert frame.ladders.temperature[2] == pytest.approx(frame.temperature)
    assert frame.ladders.tried.tolist() == [0, 2, 2, 2] * 2
    plain, infos = run(open_ladders(tempering=0), 1)
    told["infos"] = infos
    assert (
        make_frame(plain, FrameRequest(), number=1, commands_seen=0, **told).lanes[0].ladders
        is None
    )


@pytest.mark.parametrize("kernel", ["langevin", "mala", "underdamped"])
def test_ladders_at_temperature_0(open_ladders, kernel):
    settings = {"schedule_shape": "curves", "temperature_curve": "0:0.05, 5:0, 30:0, 40:0.05"}
    state = open_ladders(4, kernel=kernel, **settings)
    tried, gaps = [], []
    for _ in range(40):
        state, _ = advance(state)
        tried.append(int(state.lane.tempering.tried.sum()))
        gaps.append(state.lane.tempering.gap)
    # Nothing is exchanged there, and the ladder waits as it is.
    assert tried[4] < tried[-1] and len(set(tried[4:29])) == 1
    assert all(torch.equal(gap, gaps[4]) for gap in gaps[4:29])
    assert state.lane.chains.x.isfinite().all()
