"""What a change means for a session's settings, without the session; and that it follows."""

import copy
from dataclasses import replace

import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import Heated
from ldam_studio.engine.changes.rules import RULES
from ldam_studio.engine.changes.table import CHANGES
from ldam_studio.engine.comparison import MOST_LANES, LaneSpec
from ldam_studio.engine.kept_modes import KeptMode
from ldam_studio.engine.kept_pictures import KeptPicture, StartFrom
from ldam_studio.engine.photo_statistics import Measured
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Neuron
from ldam_studio.networks.plan import Plan
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.statistics.measuring import measure
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.data import load_digits_sheet


@pytest.fixture(scope="module")
def averaged():
    return open_network("lenet-averaged")


@pytest.fixture
def three(open_one, lenet, averaged):
    """Three networks side by side; the last is the first one's twin."""
    state = open_one(jitter=2)
    beside = [Change("compare", LaneSpec(averaged)), Change("compare", LaneSpec(lenet), 2)]
    state, info = advance(state, beside, 0)
    assert not info.refused
    assert info.told == ("compared with lenet-averaged", "C: compared with lenet")
    kept = KeptPicture(torch.full((1, 28, 28), 0.25), "a quarter", "photograph")
    state, info = advance(state, [Change("picture", kept)], 0)
    assert info.told == ("kept a quarter",)
    return state


CHANGES_OF_THREE = [
    Change("temperature", 0.3),
    Change("l2", 0.2, 2),
    Change("tempering", 2),
    Change("tempering", 3.5, 1),
    Change("step_size", (0.1, 0.2, 0.3), 1),
    Change("neurons", ("fc2:3", "fc2:4", "fc2:5")),
    Change("neurons", (Neuron("conv2", 3),), 1),
    Change("neurons", tuple(Neuron("fc3", i) for i in range(5))),
    Change("chains", 6),
    Change("chains", 2),
    Change("keep", (1,)),
    Change("keep", (0, 2)),
    Change("keep", (2, 0)),
    Change("keep", (1, 3)),
    Change("keep", ()),
    Change("keep", "all"),
    Change("keep", (-1,)),
    Change("keep", (0.5,)),
    Change("heat_some", Heated((0, 2), 50.0)),
    Change("heat_some", Heated((1,), 1.0)),
    Change("heat_some", Heated((1,), 0.5)),
    Change("heat_some", Heated((), 50.0)),
    Change("heat_some", (1, 2)),
    Change("restart_some", (1,)),
    Change("restart_some", ()),
    Change("restart_some", (3,)),
    Change("hold", (0, 2)),
    Change("hold", (2, 0)),
    Change("hold", ()),
    Change("hold", (True,)),
    Change("hold", "02"),
    Change("release", (0, 1)),
    Change("release", (-1,)),
    Change("hold", (1,), 1),
    Change("seed", 5),
    Change("restart"),
    Change("melt", 3),
    Change("heat", 100.0),
    Change("heat", 0.5),
    Change("heat", "hot"),
    Change("picture", KeptPicture(torch.zeros(1, 28, 28), "black", "photograph")),
    Change("picture", KeptPicture(torch.full((1, 28, 28), 0.25), "the same", "photograph")),
    Change("picture", KeptPicture(torch.zeros(3, 28, 28), "in colour", "photograph")),
    Change("start_from", StartFrom(0)),
    Change("start_from", StartFrom(0, (0, 2), 0.5)),
    Change("start_from", StartFrom(0, (2, 0))),
    Change("start_from", StartFrom(0, (3,))),
    Change("start_from", StartFrom(1)),
    Change("rest", 0),
    Change("rest"),
    Change("rest", 1),
    Change("rest", "x"),
    Change("rest", 0, 1),
    Change("keep_mode", KeptMode((0, 1), "two neurons")),
    Change("keep_mode", KeptMode((1, 0), "not in order")),
    Change("keep_mode", KeptMode((3,), "no such chain")),
    Change("forget_mode", 0),
    Change("forget_mode", 7),
    Change("forget_mode", "x"),
    Change("reset_average"),
    Change("run_schedule"),
    Change("run_schedule", "temperature", 1),
    Change("run_schedule", "l2"),
    Change("leave_schedule", "temperature"),
    Change("leave_schedule", "l2"),
    Change("leave_schedule", None),
    Change("hold_schedule", True),
    Change("hold_schedule", False, 1),
    Change("hold_schedule", "stop"),
    Change("precision", "float32"),
    Change("plan", Plan(layout="channels_last", first_layers="onednn")),
    Change("plan", "bfloat16"),
    Change("compare", None, 1),
    Change("compare", None),
    Change("temperature", -1),
    Change("neurons", ("fc9:1",)),
    Change("neurons", ("fc3:1", "fc3:2"), 1),
    Change("neurons", ("fc3:1", "fc2:2", "fc3:3")),
    Change("chains", 4, 1),
    Change("l2", 0.1, 3),
    Change("compare", None, 3),
    Change("nonsense"),
]


@pytest.mark.parametrize("change", CHANGES_OF_THREE, ids=str)
def test_a_session_is_set_as_its_outline_said(three, change):
    before = three.outline
    try:
        expected, refused = before.after(change), ()
    except StudioError as error:
        expected, refused = before, (str(error),)
    state, info = advance(three, [change])
    assert info.refused == refused
    assert state.outline == expected
    assert all(len(lane.chains.x) == expected.chains for lane in state.lanes)


def test_another_network_and_other_weights_in_an_outline(three, averaged, lenet):
    for change in (Change("network", averaged), Change("weights", averaged, 2)):
        before = three.outline
        after = before.after(change)
        state, _ = advance(three, [change], 0)
        assert state.outline == after
        changed = [one != two for one, two in zip(before.lanes, after.lanes, strict=True)]
        assert changed == [number == (change.lane or 0) for number in range(3)]


def test_measured_statistics_are_for_all_lanes_with_the_same_weights(three, lenet):
    found = measure(lenet, load_digits_sheet().images[::200], "digits")
    before, change = three.outline, Change("statistics", Measured(lenet.sha256, found, ""))
    after = before.after(change)
    state, info = advance(three, [change])
    assert state.outline == after and info.told == ("photo statistics measured",)
    changed = [one != two for one, two in zip(before.lanes, after.lanes, strict=True)]
    assert changed == [True, False, True]
    assert state.outline.after(change) == after  # in use already


def test_measured_statistics_are_not_for_another_set_of_the_same_file(three, averaged, lenet):
    other = copy.copy(averaged)
    other.provenance = replace(other.provenance, sha256=lenet.sha256)
    before = three.outline.put(1, replace(three.outline.lanes[1], network=other))
    found = measure(lenet, load_digits_sheet().images[::200], "digits")
    after = before.after(Change("statistics", Measured(lenet.sha256, found, "")))
    changed = [one != two for one, two in zip(before.lanes, after.lanes, strict=True)]
    assert changed == [True, False, True]


def test_every_change_has_a_rule_and_a_row():
    assert RULES.keys() == CHANGES.keys()


def test_settings_of_an_outline(three):
    outline = three.outline.after(Change("l2", 0.25, 1)).after(Change("learn_every", 3))
    assert [outline.value("l2", lane) for lane in range(3)] == [0.5, 0.25, 0.5]
    assert outline.value("learn_every") == 3
    assert outline.value("chains") == 3


def test_three_networks_are_fed_the_same_noise_and_jitter(three, run):
    state, infos = run(three, 4, {1: [("restart", None)], 2: [("neurons", ["fc2:1"])]})
    first, second, third = state.lanes
    assert torch.equal(first.chains.x, third.chains.x)
    assert not torch.equal(first.chains.x, second.chains.x)
    assert [len(info.lanes) for info in infos] == [3] * 4
    # One goes its own way; the others, and the random numbers, are as without it.
    state, _ = run(state, 3, {4: [("temperature", 0.5, 1), ("chains", 5)]})
    assert torch.equal(state.lanes[0].chains.x, state.lanes[2].chains.x)


def test_three_networks_are_stored_and_go_on(three, run):
    state, _ = run(three, 3, {1: [("l2", 0.2, 2)]})
    again = from_tensors(*to_tensors(state))
    run(state, 3)
    run(again, 3)
    assert len(again.lanes) == 3
    for one, two in zip(state.lanes, again.lanes, strict=True):
        assert one.settings == two.settings
        assert torch.equal(one.chains.x, two.chains.x)
        assert torch.equal(one.average.mean, two.average.mean)


def test_a_lane_in_the_middle_is_replaced_or_taken_away(three, run, lenet, averaged):
    different = LaneSpec(lenet, settings=Settings.of(l2=0.1), restart=False)
    state, _ = run(three, 3, {2: [("compare", different, 1)]})
    assert [lane.network for lane in state.lanes] == [lenet, lenet, lenet]
    assert [lane.settings.l2 for lane in state.lanes] == [0.5, 0.1, 0.5]
    state, info = advance(state, [Change("compare", None, 1), Change("l2", 0.3, 1)])
    assert not info.refused
    assert [lane.settings.l2 for lane in state.lanes] == [0.5, 0.3]


def test_so_many_networks_and_no_more(three, lenet):
    full = [Change("compare", LaneSpec(lenet), place) for place in range(3, MOST_LANES)]
    state, info = advance(three, full, 0)
    assert not info.refused and len(state.lanes) == MOST_LANES
    state, info = advance(state, [Change("compare", LaneSpec(lenet), MOST_LANES)], 0)
    assert "at most 8 networks" in info.refused[0]


def test_changes_are_told_in_plain_words(open_one):
    changes = [Change("clamp", True), Change("clamp", False), Change("chains", 1)]
    changes += [Change("chains", 2), Change("discriminator_rounds", 1)]
    _, info = advance(open_one(), changes, 0)
    assert info.told == (
        "clamp to valid pixels on",
        "clamp to valid pixels off",
        "1 chain",
        "2 chains",
        "1 round per checkpoint",
    )
