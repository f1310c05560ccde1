"""`advance`: what a session does, change by change."""

import math

import pytest
import torch

from ldam_studio.engine.advance import ChainsExploded, GivenUp, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import ImageSizes
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import Settings

EVENTFUL = {
    2: [("temperature", 0.3), ("clamp", True)],
    4: [("neurons", ["fc3:7", "fc3:7", "fc3:1"])],
    6: [("melt", 3)],
    8: [("chains", 5)],
    10: [("kernel", "bidmach"), ("l2", (0.1, 0.2, 0.3, 0.4, 0.5))],
    12: [("restart", None)],
    14: [("neurons", ["conv2:3"]), ("window", 4), ("thin", 2)],
    16: [("seed", 99)],
}


def replayed(log):
    script = {}
    for entry in log:
        script.setdefault(entry.step, []).append((entry.name, entry.value))
    return script


def test_same_seed_and_log_give_the_same_bits(open_one, run):
    state, _ = run(open_one(), 20, EVENTFUL)
    again, _ = run(open_one(), 20, replayed(state.log))
    assert torch.equal(state.lane.chains.x, again.lane.chains.x)
    assert torch.equal(state.lane.average.mean, again.lane.average.mean)
    assert again.log == state.log
    other, _ = run(open_one(seed=2), 20, {})
    assert not torch.equal(state.lane.chains.x[:3], other.lane.chains.x)


def test_learning_replays_too(open_one, run, untrained_discriminator):
    script = {
        3: [("temperature", 0.2)],
        5: [("learn_every", 3)],
        9: [("revert_discriminator", None)],
        11: [("neurons", ["fc3:5"])],
    }
    settings = {
        "discriminator": untrained_discriminator,
        "learn_every": 2,
        "discriminator_weight": 0.5,
        "clamp": True,
    }
    state, infos = run(open_one(**settings), 14, script)
    assert [i.step for i in infos if i.lesson] == [2, 4, 6, 9, 12]
    assert state.learner.rounds == 1  # step 12; reverted after the lesson of step 9
    again, _ = run(open_one(**settings), 14, replayed(state.log))
    assert torch.equal(state.lane.chains.x, again.lane.chains.x)


def test_a_snapshot_goes_on_with_the_same_bits_and_leaves_the_original(open_one, run):
    state, _ = run(open_one(), 5)
    copy = snapshot(state)
    ahead, _ = run(state, 5)
    behind, _ = run(copy, 5)
    assert torch.equal(ahead.lane.chains.x, behind.lane.chains.x)


def test_only_changes_are_applied_without_a_budget(open_one):
    state = open_one()
    x = state.lane.chains.x
    state, info = advance(state, [Change("temperature", 0.5)], budget=0)
    assert (state.step, info.lanes) == (0, ())
    assert state.lane.settings.temperature == 0.5
    assert torch.equal(state.lane.chains.x, x)


def test_a_setting_that_stays_is_not_logged_and_a_dragged_one_once_per_step(open_one):
    state = open_one()
    same = state.lane.settings.l2
    state, _ = advance(state, [Change("l2", same)])
    assert state.log == []
    for value in (0.1, 0.2, 0.3):
        state, _ = advance(state, [Change("temperature", value)], budget=0)
    assert [(e.name, e.value) for e in state.log] == [("temperature", 0.3)]


@pytest.mark.parametrize(
    "change",
    [
        Change("temperature", -1),
        Change("temperature", math.nan),
        Change("nonsense", 1),
        Change("neurons", ["fc3:10"]),
        Change("neurons", ["fc9:1"]),
        Change("neurons", ["fc3:1", "fc2:1", "fc3:2"]),
        Change("chains", 0),
        Change("seed", -1),
        Change("melt", "long"),
        Change("learn_every", -2),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence_and_changes_nothing(open_one, run, change):
    good, _ = run(open_one(), 3)
    state, info = advance(open_one(), [change])
    assert len(info.refused) == 1
    assert info.refused[0].endswith(".")
    assert state.log == []
    state, _ = run(state, 2)
    assert torch.equal(state.lane.chains.x, good.lane.chains.x)


def test_a_refused_change_does_not_hold_back_the_others(open_one):
    changes = [Change("neurons", ["fc3:77"]), Change("step_size", 0.2)]
    state, info = advance(open_one(), changes)
    assert info.refused
    assert state.lane.settings.step_size == 0.2


def test_new_neurons_keep_the_picture_and_restart_its_average(open_one, run):
    state, _ = run(open_one(), 4)
    x = state.lane.chains.x
    state, _ = advance(state, [Change("neurons", ["fc3:9"])], budget=0)
    assert torch.equal(state.lane.chains.x, x)
    assert not state.lane.average.count.any()
    assert state.lane.neurons == (Neuron("fc3", 9),) * 3


def test_a_moved_slider_keeps_the_average_and_settles(open_one, run):
    state, _ = run(open_one(burn_in=0), 4)
    state, _ = run(state, 1, {4: [("temperature", 0.02)]})
    assert state.lane.average.count.tolist() == [5, 5, 5]
    assert state.lane.progress.settling.all()


def test_restart_repeats_the_session_and_a_new_seed_does_not(open_one, run):
    state, _ = run(open_one(), 6)
    x = state.lane.chains.x
    state, _ = run(state, 6, {6: [("restart", None)]})
    assert torch.equal(state.lane.chains.x, x)
    state, _ = run(state, 6, {12: [("seed", 5)]})
    assert not torch.equal(state.lane.chains.x, x)


def test_a_start_spectrum_takes_effect_at_the_next_restart(open_one, run):
    even = open_one().lane.chains.x
    state, _ = run(open_one(), 1, {0: [("start_spectrum", 1.0)]})
    same, _ = run(open_one(), 1)
    assert torch.equal(state.lane.chains.x, same.lane.chains.x)
    state, _ = advance(state, [Change("restart")], 0)
    cloudy = state.lane.chains.x
    assert torch.equal(cloudy, open_one(start_spectrum=1.0).lane.chains.x)
    # Neighbours are alike in clouds only.
    assert cloudy.diff(dim=-1).abs().mean() < 0.8 * even.diff(dim=-1).abs().mean()


def test_melting_heats_for_its_steps_and_then_the_old_temperature_is_back(open_one, run):
    state = open_one(temperature=0.01)
    state, _ = advance(state, [Change("melt", 3)])
    heats = [float(state.lane.parameters.temperature[0])]
    for _ in range(3):
        state, info = advance(state)
        heats.append(float(state.lane.parameters.temperature[0]))
    assert heats == pytest.approx([1.0, 1.0, 0.01, 0.01])
    assert info.marks == ()
    assert state.lane.settings.temperature == 0.01


def test_a_chain_that_explodes_stops_before_the_step_and_names_the_setting(open_one, run):
    good, _ = run(open_one(), 5)
    state, _ = run(open_one(), 3)
    x = state.lane.chains.x
    with pytest.raises(ChainsExploded, match="step size"):
        for _ in range(200):
            state, _ = advance(state, [Change("step_size", 10.0), Change("l2", 1000.0)])
            x = state.lane.chains.x
    assert torch.isfinite(x).all()

    # A failure leaves no trace in the random numbers.
    state, _ = run(open_one(), 3)
    state.lanes[0].chains.x.fill_(math.inf)
    with pytest.raises(ChainsExploded) as failure:
        advance(state)
    state = failure.value.state
    assert state.step == 3
    reference, _ = run(open_one(), 3)
    state.lanes = reference.lanes
    # Not even where chains come and go between the failure and the next step.
    state, _ = advance(state, [Change("chains", 1)], budget=0)
    state, _ = advance(state, [Change("chains", 3)], budget=0)
    state.lanes = reference.lanes
    state, _ = run(state, 2)
    assert torch.equal(state.lane.chains.x, good.lane.chains.x)


def test_burn_in_starts_the_average_anew_and_is_marked(open_one, run):
    state, infos = run(open_one(burn_in=5), 8)
    assert state.lane.average.count.tolist() == [3, 3, 3]
    assert [i.step for i in infos if i.marks] == [6]
    assert "all chains" in infos[5].marks[0]


def test_only_one_of_so_many_steps_is_sampled(open_one, run):
    state, _ = run(open_one(burn_in=0, thin=3), 9)
    assert state.lane.average.count.tolist() == [3, 3, 3]


def test_chains_spread_over_more_neurons_as_they_are_added(open_one):
    state = open_one(chains=2)
    state, _ = advance(state, [Change("chains", 5)], budget=0)
    assert [n.index for n in state.lane.neurons] == [0, 1, 2, 3, 4]
    state, _ = advance(state, [Change("neurons", ["fc3:3"]), Change("chains", 7)], budget=0)
    assert [n.index for n in state.lane.neurons] == [3] * 7


def test_a_network_can_be_swapped_in_the_run(open_one, run):
    from ldam_studio.networks.sources.opening import open_network

    other = open_network("lenet-averaged")
    state, _ = run(open_one(), 3)
    x = state.lane.chains.x
    state, _ = advance(state, [Change("network", other)], budget=0)
    assert state.lane.network is other
    assert torch.equal(state.lane.chains.x, x)
    assert state.log[-1].value["sha256"] == other.sha256


def test_a_discriminator_for_other_images_is_refused(lenet, untrained_discriminator):
    from dataclasses import replace

    wrong = replace(untrained_discriminator, images=ImageSizes.exactly((3, 32, 32)))
    with pytest.raises(StudioError, match="images of shape"):
        open_session(SessionSpec(lenet, lenet.default_neurons(1), discriminator=wrong))


def test_first_layer_average_is_the_filter_at_the_default_temperature(lenet, run):
    """Inside the field, the L2-regularised average is filter / std."""
    neurons = lenet.spread("conv1", 6)
    state = open_session(SessionSpec(lenet, neurons, Settings.of(burn_in=60), seed=3))
    state, _ = run(state, 500)
    filters = lenet.module.conv1.weight.flatten(1)
    top, left, bottom, right = state.lane.targets.fields[0]
    average = state.lane.average.mean[:, :, top:bottom, left:right].flatten(1)
    assert torch.cosine_similarity(average, filters).min() >= 0.99
    outside = torch.ones(28, 28, dtype=torch.bool)
    outside[top:bottom, left:right] = False
    s = state.lane.settings
    expected = s.temperature / (2 * s.l2) / (1 - s.step_size * s.l2 / 2)
    # The chain's own variance plus that of its mean make up the spread around rest.
    mean, variance = state.lane.average.mean, state.lane.average.variance
    spread = (variance + mean.square())[..., outside].mean()
    assert float(spread) == pytest.approx(expected, rel=0.05)


def test_a_step_that_is_given_up_leaves_no_trace(open_one):
    settings = {"chains": 2, "jitter": 2, "mode": "exact"}
    plain, disturbed = open_one(**settings), open_one(**settings)
    calls = []

    def give_up():
        calls.append(1)
        if len(calls) % 2:
            raise GivenUp

    for _ in range(3):
        plain, _ = advance(plain)
        disturbed, info = advance(disturbed, between=give_up)
        assert not info.lanes
        disturbed, info = advance(disturbed, between=give_up)
        assert info.lanes
    assert disturbed.step == plain.step == 3
    assert torch.equal(disturbed.lane.chains.x, plain.lane.chains.x)


def test_changes_before_a_step_that_is_given_up_take_effect(open_one):
    def give_up():
        raise GivenUp

    state, info = advance(open_one(), [Change("temperature", 0.7)], between=give_up)
    assert state.lane.settings.temperature == 0.7
    assert info.marks == ("temperature 0.7",)
    assert [entry.name for entry in state.log] == ["temperature"]


@pytest.mark.parametrize(
    "counts", [(8, 4, 8), (8, 4), (1, 6, 2)], ids=["up down up", "up down", "down up down"]
)
def test_structural_changes_of_one_step_replay_though_they_drew(open_one, run, counts):
    script = {2: [("chains", count) for count in counts], 5: [("chains", 8)]}
    state, _ = run(open_one(), 8, script)
    again, _ = run(open_one(), 8, replayed(state.log))
    assert torch.equal(again.lane.chains.x, state.lane.chains.x)


def test_giving_up_before_the_number_of_chains_changes_leaves_no_trace(open_one, run):
    def give_up():
        raise GivenUp

    disturbed, _ = run(open_one(chains=4), 2)
    disturbed, _ = advance(disturbed, between=give_up)
    disturbed, _ = advance(disturbed, [Change("chains", 2)], between=give_up)
    disturbed, _ = run(disturbed, 4, {4: [("chains", 4)]})
    plain, _ = run(open_one(chains=4), 6, {2: [("chains", 2)], 4: [("chains", 4)]})
    assert torch.equal(disturbed.lane.chains.x, plain.lane.chains.x)


def test_a_network_that_is_refused_leaves_the_session_as_it_was(
    open_one, lenet, untrained_discriminator, monkeypatch
):
    state = open_one(discriminator=untrained_discriminator, learn_every=2)

    def gone(_state):
        raise StudioError("The photographs are gone; put them back.")

    monkeypatch.setattr("ldam_studio.engine.changes.network.prepare_learner", gone)
    lanes, learner = state.lanes, state.learner
    state, info = advance(state, [Change("network", lenet)], budget=0)
    assert info.refused
    assert state.lanes == lanes
    assert state.learner is learner
    assert not state.log
