"""A session that runs a schedule: its values, the size of its images, and what begins it again."""

from dataclasses import replace

import pytest
import torch

from ldam_studio.engine import schedule
from ldam_studio.engine.advance import ChainsExploded, GivenUp, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.compute import memory_needed
from ldam_studio.engine.frame import FrameRequest, make_frame
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.prepare import parameters_of
from ldam_studio.sampler.resize import resized
from ldam_studio.sampler.schedule import Clock, at_present
from ldam_studio.sampler.settings import Settings
from thinned import one_in

SCHEDULE = {
    "schedule": 8,
    "step_size": 0.02,
    "step_size_start": 0.2,
    "temperature": 0.001,
    "temperature_start": 0.01,
    "resolution_start": 24,
    "clamp": True,
    "threshold": 0.0,  # measuring it takes longer than the steps
}


@pytest.fixture(scope="module")
def vgg():
    return open_network("vgg")


@pytest.fixture
def opened(vgg):
    def make(chains=2, **settings):
        chosen = Settings.of(**{**SCHEDULE, **settings})
        return open_session(SessionSpec(vgg, vgg.default_neurons(chains), chosen, seed=4))

    return make


def frame_of(state):
    return make_frame(
        state,
        FrameRequest(),
        number=1,
        infos=(),
        notices=(),
        steps_per_second=0.0,
        lesson=None,
        commands_seen=0,
    )


def sides(state):
    return [lane.chains.x.shape[-1] for lane in state.lanes]


def same(one, other):
    return all(
        torch.equal(a.chains.x, b.chains.x)
        and torch.equal(a.average.mean, b.average.mean)
        and a.clock == b.clock
        for a, b in zip(one.lanes, other.lanes, strict=True)
    )


def test_every_step_has_the_values_of_its_time(opened, run):
    state, seen = opened(), []
    for _ in range(12):
        lane = state.lane
        expected = parameters_of(at_present(lane.settings, lane.clock), 2)
        assert torch.equal(lane.parameters.noise, expected.noise)
        seen.append(lane.parameters.step_size.flatten()[0].item())
        state, _ = run(state, 1)
    assert seen[0] == pytest.approx(0.2) and seen[8:] == pytest.approx([0.02] * 4)
    assert seen[:9] == sorted(seen[:9], reverse=True)


def test_the_picture_is_kept_where_the_resolution_changes(opened, run):
    state, _ = run(opened(), 3)
    assert sides(state) == [24] and state.lane.sized.pixels.shape == (3, 24, 24)
    small, _ = run(snapshot(state), 1)
    state, infos = run(state, 1)
    assert sides(state) == [32] and state.lane.sized is state.lane.network
    assert "resolution 32" in infos[-1].marks
    assert not state.lane.average.count.any()
    assert same(small, state)
    again = resized(state.lane.chains.x, (24, 24))
    assert (again - resized(small.lane.chains.x, (24, 24))).abs().max() < 1e-6


def test_chains_without_a_schedule_live_at_their_resolution(opened, run):
    state, _ = run(opened(schedule=0, resolution=48), 2)
    assert sides(state) == [48]
    state, _ = run(state, 1, {2: [("resolution", 0)]})
    assert sides(state) == [32]


@pytest.mark.parametrize("begins", [("restart", None), ("seed", 9), ("neurons", ["fc:7"])])
def test_what_begins_the_schedule_again(opened, run, begins):
    state, _ = run(opened(), 10)
    before = state.lane.chains.x
    state, _ = advance(state, [Change(*begins)], 0)
    assert state.lane.clock.steps == 0 and sides(state) == [24]
    assert state.lane.parameters.step_size.flatten()[0].item() == pytest.approx(0.2)
    if begins[0] == "neurons":
        assert torch.equal(state.lane.chains.x, resized(before, (24, 24)).clamp(0, 1))
    else:
        fresh = opened() if begins[0] == "restart" else None
        assert fresh is None or torch.equal(state.lane.chains.x, fresh.lane.chains.x)
    state, _ = run(state, 8)
    assert sides(state) == [32]


def test_added_chains_begin_it_again_and_fewer_go_on(opened, run):
    state, _ = run(opened(chains=3), 6)
    state, _ = advance(state, [Change("chains", 2)], 0)
    assert state.lane.clock.steps == 6 and sides(state) == [32]
    state, _ = advance(state, [Change("chains", 4)], 0)
    assert state.lane.clock.steps == 0 and state.lane.chains.x.shape == (4, 3, 24, 24)


def test_a_dragged_setting_is_taken_over_until_the_restart(opened, run):
    state, _ = run(opened(), 3, {2: [("step_size", 0.05), ("resolution", 40)]})
    assert state.lane.parameters.step_size.flatten()[0].item() == pytest.approx(0.05)
    assert sides(state) == [40]
    assert frame_of(state).lanes[0].now.keys() == {"temperature"}
    state, _ = run(state, 1)
    assert state.lane.parameters.step_size.flatten()[0].item() == pytest.approx(0.05)
    state, _ = advance(state, [Change("restart")], 0)
    assert state.lane.parameters.step_size.flatten()[0].item() == pytest.approx(0.2)
    assert sides(state) == [24]


def test_a_setting_goes_back_into_the_schedule_and_the_schedule_runs_again(opened, run):
    state, _ = run(opened(), 3, {2: [("step_size", 0.05)]})
    state, info = advance(state, [Change("run_schedule", "step_size")], 0)
    assert info.told == ("step size follows the schedule",)
    expected = 0.2 * (0.05 / 0.2) ** (3 / 8)
    assert state.lane.parameters.step_size.flatten()[0].item() == pytest.approx(expected)
    before, _ = run(state, 9)
    state, _ = advance(snapshot(before), [Change("run_schedule")], 0)
    assert state.lane.clock.steps == 0
    assert torch.equal(state.lane.chains.x, resized(before.lane.chains.x, (24, 24)).clamp(0, 1))


def test_a_fixed_burn_in_counts_from_the_start_of_the_chains(opened, run):
    state, _ = run(opened(burn_in=6), 6)
    assert not state.lane.progress.done.any()
    state, _ = run(state, 3)
    assert state.lane.progress.done.all() and set(state.lane.average.count.tolist()) == {3}


def test_thresholds_are_measured_at_the_last_resolution_only(opened, run):
    state, _ = run(opened(threshold="auto"), 3)
    assert not len(state.lane.thresholds.seen)
    state, _ = run(state, 3)
    assert not state.lane.thresholds.wanted


def test_frames_tell_what_the_schedule_does(opened, run):
    state, _ = run(opened(), 2)
    frame = frame_of(state).lanes[0]
    assert frame.clock == 2 and frame.now["resolution"] == 24
    assert frame.now["step_size"] == pytest.approx(0.2 * 0.1 ** (2 / 8))
    assert frame.raw.shape == (3, 24, 24) and frame.thumbnails.shape == (2, 32, 32, 3)
    state, _ = run(state, 6)
    assert frame_of(state).lanes[0].now == {}


def test_melting_multiplies_the_present_temperature(opened, run):
    state, _ = run(opened(), 1, {0: [("melt", 2)]})
    expected = 100 * 0.01 * 0.1 ** (1 / 8)
    assert state.lane.parameters.temperature.flatten()[0].item() == pytest.approx(expected)
    state, _ = run(state, 1)
    expected = 0.01 * 0.1 ** (2 / 8)
    assert state.lane.parameters.temperature.flatten()[0].item() == pytest.approx(expected)


def test_a_given_up_step_leaves_the_schedule_where_it_was(opened, run):
    def give_up():
        raise GivenUp

    state, _ = run(opened(), 3)
    plain, _ = run(snapshot(state), 3)
    for _ in range(3):
        state, _ = advance(state, between=give_up)
        state, _ = advance(state)
    assert same(state, plain)


def test_steps_that_are_confirmed_later_are_the_same(opened, run):
    plain, _ = run(opened(), 12)
    late = opened()
    for _ in range(12):
        late, _ = advance(late, lag=3)
    late, _ = advance(late, budget=0)
    assert same(plain, late)


def test_an_exploded_step_is_taken_back_with_its_change_of_resolution(opened, run):
    state, _ = run(opened(clamp=False, mode="exact"), 3)
    lane = state.lane
    bad = torch.full_like(lane.chains.x, torch.inf)
    state.lanes = (replace(lane, chains=replace(lane.chains, x=bad)),)
    with pytest.raises(ChainsExploded) as caught:
        advance(state)
    assert caught.value.state.lane.clock.steps == 3 and sides(caught.value.state) == [24]


def test_a_resolution_that_cannot_be_reached_leaves_the_session_as_it_was(opened, run, monkeypatch):
    state, _ = run(opened(), 3)
    before = snapshot(state)

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(schedule, "begin", fail)
    with pytest.raises(StudioError, match="not enough memory"):
        advance(state)
    monkeypatch.undo()
    assert state.step == 3 and same(before, state)
    assert same(run(state, 3)[0], run(before, 3)[0])


def test_a_schedule_whose_end_does_not_fit_into_memory_is_refused(opened, monkeypatch):
    monkeypatch.setattr(memory_needed, "free_bytes", lambda: 200_000_000)
    opened(resolution=32)
    with pytest.raises(StudioError, match="2 chains need"):
        opened(resolution=512)


@pytest.mark.parametrize(
    ("kernel", "saved_at"),
    one_in(2, [("langevin", 2), ("langevin", 9), ("underdamped", 5), ("mala", 5)]),
)
def test_a_saved_session_goes_on_with_the_same_bits(opened, run, kernel, saved_at):
    settings = {"kernel": kernel, "view_size": 0.3, "resolution": 64, "jitter": 3}
    state, _ = run(opened(**settings), saved_at, {1: [("temperature", 0.002)]})
    again = from_tensors(*to_tensors(state))
    assert again.lane.clock == state.lane.clock
    state, _ = run(state, 5)
    again, _ = run(again, 5)
    assert same(state, again)


def test_a_session_file_from_before_schedules_opens(opened):
    tensors, about = to_tensors(opened(schedule=0))
    del about["lanes"][0]["clock"]
    for name in ("schedule", "resolution", "view_size"):
        del about["session"]["lanes"][0]["settings"][name]
    assert from_tensors(tensors, about).lane.clock.steps == 0


def test_a_network_of_one_size_runs_at_it_and_says_so_once(lenet, run):
    settings = Settings.of(**SCHEDULE)
    state = open_session(SessionSpec(lenet, lenet.default_neurons(2), settings))
    state, infos = run(state, 9)
    assert sides(state) == [28]
    told = [mark for info in infos for mark in info.marks if "one size" in mark]
    words = "so Resolution and the size of views have no effect"
    assert told == [f"lenet takes images of one size only, {words}"]
    assert state.lane.parameters.step_size.flatten()[0].item() == pytest.approx(0.02)


def test_a_place_moves_with_the_size(opened, run, vgg):
    asked = (Neuron("conv1_2", 3, (8, 8)),)
    state = open_session(SessionSpec(vgg, asked, Settings.of(resolution=24)))
    assert state.lane.targets.fields == (vgg.at_side(24).receptive_field("conv1_2", (6, 6)),)
    state, _ = run(state, 1, {0: [("resolution", 64)]})
    assert state.lane.neurons == asked
    assert state.lane.targets.fields == (vgg.at_side(64).receptive_field("conv1_2", (17, 17)),)


def test_lanes_of_one_size_share_their_noise_and_others_have_their_own(opened, run, vgg):
    state = opened()
    plain = Settings.of(**{**SCHEDULE, "resolution_start": 0})
    state, _ = advance(state, [Change("compare", LaneSpec(vgg, settings=plain))], 0)
    alone, _ = run(opened(), 12)
    state, infos = run(state, 3)
    assert sides(state) == [24, 32]
    assert frame_of(state).lanes[1].raw.shape == (3, 32, 32)
    state, infos = run(state, 9)
    assert any("A: resolution 32" in info.marks for info in infos)
    assert torch.equal(state.lane.chains.x, alone.lane.chains.x)


def test_a_lane_that_joins_takes_the_pictures_and_the_time(opened, run, vgg):
    state, _ = run(opened(), 2)
    joins = LaneSpec(vgg, settings=Settings.of(**SCHEDULE, resolution=48), restart=False)
    state, _ = run(state, 1, {2: [("compare", joins)]})
    assert [lane.clock.steps for lane in state.lanes] == [3, 3]
    state, _ = run(state, 1)
    assert sides(state) == [32, 48]


def test_views_of_other_sizes_average_the_gradients_at_them(opened, vgg):
    state = opened(schedule=0, resolution=96, view_size=0.3, views=4)
    assert list(state.lane.targets.sizes) == [(32, 32), (64, 64), (96, 96)]
    state, info = advance(state)
    assert sides(state) == [96] and torch.isfinite(info.lanes[0].activation).all()
    state, _ = advance(state, [Change("neurons", [Neuron("conv2_1", 3)])], 0)
    assert not state.lane.targets.sizes
    state, _ = advance(state, [Change("neurons", [Neuron("relu4_2", 3, "mean")])])
    assert len(state.lane.targets.sizes) == 3
    state, _ = advance(state, [Change("view_size", 1.0)])
    assert not state.lane.targets.sizes


CYCLES = {
    "schedule": 6,
    "schedule_shape": "cycles",
    "resolution_start": 0,
    "cycle_sampled": 0.5,
    "burn_in": 0,
}


def test_cycles_begin_again_and_average_their_cold_ends(opened, run):
    state, counts, steps = opened(**CYCLES), [], []
    for _ in range(18):
        steps.append(state.lane.parameters.step_size.flatten()[0].item())
        state, _ = run(state, 1)
        counts.append(state.lane.average.count.tolist()[0])
    assert steps[:6] == steps[6:12] == steps[12:] and steps[0] == pytest.approx(0.2)
    # The average of a cycle stays until the cold end of the next one begins.
    assert counts[5:] == [3, 3, 3, 3, 1, 2, 3, 3, 3, 3, 1, 2, 3]


def test_averages_of_all_cycles_go_on(opened, run):
    state, _ = run(opened(**CYCLES, average_cycles="all"), 18)
    assert state.lane.average.count.tolist() == [9, 9]


def test_a_curve_gives_values_and_sizes_and_stays_at_its_end(opened, run):
    curves = {
        "schedule_shape": "curves",
        "step_size_curve": "0:0.1, 4:0.4",
        "resolution_curve": "0:24, 3:0",
    }
    state, seen = opened(schedule=0, **curves), []
    for _ in range(8):
        seen.append((sides(state)[0], state.lane.parameters.step_size.flatten()[0].item()))
        state, _ = run(state, 1)
    assert [side for side, _ in seen] == [24] * 3 + [32] * 5
    expected = [0.1 * 4 ** (t / 4) for t in (*range(5), 4, 4, 4)]
    assert [step for _, step in seen] == pytest.approx(expected)
    assert frame_of(state).lanes[0].now == pytest.approx({"step_size": 0.4, "resolution": 0})


def test_a_setting_leaves_the_schedule_at_its_own_value(opened, run):
    state, _ = run(opened(), 3)
    state, info = advance(state, [Change("leave_schedule", "step_size")], 0)
    assert info.told == ("step size by hand",) and frame_of(state).lanes[0].taken == ("step_size",)
    assert state.lane.parameters.step_size.flatten()[0].item() == pytest.approx(0.02)


def test_a_schedule_that_was_stopped_keeps_its_values(opened, run):
    state, _ = run(opened(), 3)
    before = frame_of(state).lanes[0].now
    state, info = advance(state, [Change("hold_schedule", True)], 0)
    assert info.told == ("schedule stopped",)
    state, _ = run(state, 20)
    frame = frame_of(state).lanes[0]
    assert frame.now == before and frame.held and sides(state) == [24]
    assert frame.clock == 3
    state, info = advance(state, [Change("hold_schedule", False)], 0)
    assert info.told == ("schedule goes on",) and not frame_of(state).lanes[0].held
    state, _ = run(state, 1)
    assert sides(state) == [32]
    state, info = advance(state, [Change("hold_schedule", "x")], 0)
    assert info.refused == ("A schedule can be stopped or go on, not 'x'.",)


@pytest.mark.parametrize("saved_at", [2, 5])
def test_a_stopped_schedule_is_saved_and_goes_on_with_the_same_bits(opened, run, saved_at):
    changes = {1: [("hold_schedule", True)], 3: [("hold_schedule", False)]}
    state, _ = run(opened(**{**CYCLES, "cycle_growth": 1.5}), saved_at, changes)
    again = from_tensors(*to_tensors(state))
    assert again.lane.clock == state.lane.clock and again.lane.clock != Clock(saved_at)
    late = {} if saved_at > 3 else {3: [("hold_schedule", False)]}
    state, _ = run(state, 12, late)
    again, _ = run(again, 12, late)
    assert same(state, again)


@pytest.mark.parametrize("held", [-1, "x", 10**13, [1]])
def test_a_clock_that_cannot_be_is_refused(opened, held):
    tensors, about = to_tensors(opened())
    about["lanes"][0]["clock"]["held"] = held
    with pytest.raises(StudioError, match="incomplete or damaged"):
        from_tensors(tensors, about)


def test_the_frame_tells_what_left_the_schedule(opened, run):
    state, _ = run(opened(), 3, {2: [("step_size", 0.05)]})
    frame = frame_of(state).lanes[0]
    assert frame.taken == ("step_size",)
    state, _ = run(state, 8)
    assert frame_of(state).lanes[0].taken == ()


def test_a_network_of_one_size_says_so_of_a_curve(lenet, run):
    settings = Settings.of(schedule_shape="curves", resolution_curve="0:14, 5:28", threshold=0)
    state = open_session(SessionSpec(lenet, lenet.default_neurons(1), settings))
    state, _ = run(state, 2)
    notes = frame_of(state).lanes[0].notes
    assert sides(state) == [28] and "one size only" in notes["resolution_curve"]


def test_the_discriminator_is_weighed_by_the_schedule(open_one, untrained_discriminator, run):
    of_schedule = {"schedule": 4, "discriminator_weight_start": 0.0, "discriminator_weight": 0.8}
    state = open_one(chains=2, discriminator=untrained_discriminator, threshold=0, **of_schedule)
    seen, judged = [], []
    for _ in range(6):
        seen.append([w.factor.flatten().tolist() for w in state.lane.parameters.terms][:2])
        state, (info,) = run(state, 1)
        judged.append(info.lanes[0].real_probability is not None)
    weights = [0.2 * t for t in range(1, 5)] + [0.8]
    assert judged == [False] + [True] * 5
    for (active, real), weight in zip(seen[1:], weights, strict=True):
        assert active == pytest.approx([1 - weight] * 2) and real == pytest.approx([weight] * 2)
