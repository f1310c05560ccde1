"""Records of what chains did: their span and bound, and what starts them anew."""

import numpy as np
import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.recording.projections import PROJECTIONS, Projections, directions
from ldam_studio.engine.recording.recorder import Recorder
from ldam_studio.engine.recording.rows import CHUNK, LEAST_ROWS, MOST_CELLS, MOST_ROWS, Rows
from ldam_studio.engine.state import snapshot


@pytest.fixture
def recorded(open_one):
    """Open a session with a recorder; `go` makes changes and takes steps."""

    def make(**settings):
        state, recorder = open_one(**settings), Recorder(wanted=True)
        recorder(state, None)

        def go(steps, *changes):
            nonlocal state
            for change in changes:
                state, info = advance(state, [Change(*change)], 0)
                recorder(state, info)
            for _ in range(steps):
                state, info = advance(state)
                recorder(state, info)
            return recorder.records()[0]

        return go

    return make


def test_a_record_has_the_activation_and_the_projections_of_every_chain(open_one):
    state, recorder = open_one(chains=3), Recorder(wanted=True)
    recorder(state, None)
    activations, images = [], []
    for _ in range(5):
        state, info = advance(state)
        recorder(state, info)
        activations.append(info.lanes[0].activation)
        images.append(state.lane.chains.x)
    (record,) = recorder.records()
    assert record.steps.tolist() == [1, 2, 3, 4, 5]
    assert record.values.shape == (5, 3, 1 + PROJECTIONS)
    assert np.array_equal(record.values[:, :, 0], torch.stack(activations))
    expected = images[-1].flatten(1) @ directions((1, 28, 28))
    assert np.allclose(record.values[-1, :, 1:], expected, atol=1e-5)


def test_recording_changes_no_pixel(open_one, run):
    plain, _ = run(open_one(), 5)
    state, recorder = open_one(), Recorder(wanted=True)
    for _ in range(5):
        state, info = advance(state)
        recorder(state, info)
    assert torch.equal(state.lane.chains.x, plain.lane.chains.x)


def test_directions_are_the_same_each_time_and_lie_in_the_receptive_field():
    assert torch.equal(directions((1, 28, 28)), directions((1, 28, 28)))
    lengths = directions((3, 7, 5)).norm(dim=0)
    assert torch.allclose(lengths, torch.ones(PROJECTIONS))
    x = torch.randn(2, 1, 8, 8)
    outside = x.clone()
    outside[:, :, 4:] += 1
    field = (0, 0, 4, 4)
    seen = Projections().of(x, [field, None]), Projections().of(outside, [field, None])
    assert torch.equal(seen[0][0], seen[1][0])
    assert not torch.allclose(seen[0][1], seen[1][1])


@pytest.mark.parametrize(
    "change",
    [
        ("restart",),
        ("seed", 7),
        ("melt", 3),
        ("reset_average",),
        ("neurons", ["fc3:5", "fc3:5", "fc3:5"]),
        ("chains", 4),
    ],
)
def test_what_starts_a_record_anew(recorded, change):
    go = recorded()
    go(5)
    record = go(2, change)
    assert len(record.steps) == 2
    assert not record.moved


def test_a_moved_setting_starts_it_anew_and_says_so(recorded):
    go = recorded()
    go(5)
    record = go(2, ("temperature", 0.3), ("temperature", 0.2))
    assert (len(record.steps), record.moved) == (2, True)
    # The second of two changes between the same steps takes the place of the first in the log.
    record = go(0, ("temperature", 0.4))
    assert len(go(1, ("temperature", 0.5)).steps) == 1
    assert len(go(1, ("window", 10)).steps) == 2


def test_going_back_to_a_snapshot_starts_it_anew(open_one):
    state, recorder = open_one(), Recorder(wanted=True)
    recorder(state, None)
    kept = snapshot(state)
    for _ in range(3):
        state, info = advance(state)
        recorder(state, info)
    recorder(kept, None)
    assert len(recorder.records()[0].steps) == 0


def test_nothing_is_recorded_while_nobody_wants_it(open_one):
    state, recorder = open_one(), Recorder()
    recorder(state, None)
    state, info = advance(state)
    recorder(state, info)
    assert len(recorder.records()[0].steps) == 0


def test_chains_that_begin_at_one_image_are_known(recorded, open_one):
    assert recorded(chains=3)(1).starts.tolist() == [0, 1, 2]
    go = recorded(chains=4, start_spread=0)
    assert go(1).starts.tolist() == [0, 0, 0, 0]
    # Chains that are kept remember where they began, also when they are no longer alike.
    assert go(3, ("keep", (0, 2, 3))).starts.tolist() == [0, 0, 0]
    assert go(1, ("start_spread", 1.0), ("restart_some", [1])).starts.tolist() == [0, 1, 0]


def test_chains_of_one_neuron_with_other_settings_are_no_group(recorded):
    record = recorded(chains=1)(0, ("chains", 3), ("neurons", ["fc3:5"] * 3))
    assert record.groups.tolist() == [0, 0, 0]
    record = recorded(chains=3, average_group=(0, 1, 0))(0, ("neurons", ["fc3:5"] * 3))
    assert record.groups.tolist() == [0, 0, 0]  # however they are averaged
    record = recorded(chains=3, temperature=(0.1, 0.1, 0.2))(0, ("neurons", ["fc3:5"] * 3))
    assert record.groups.tolist() == [0, 0, 1]


def test_a_curve_that_has_ended_changes_nothing_any_more(recorded):
    curve = {"schedule_shape": "curves", "temperature_curve": "0:1, 4:0.1"}
    go = recorded(chains=2, **curve)
    assert go(3).scheduled
    record = go(6)
    assert not record.scheduled and 1 <= len(record.steps) <= 5


def test_a_full_record_keeps_its_whole_span():
    rows = Rows(chains=2, width=1)
    for step in range(1, 10 * MOST_ROWS + 1):
        rows.add(step, torch.full((2, 1), float(step)))
    steps, values = rows.copy()
    assert MOST_ROWS // 2 - CHUNK <= len(steps) <= MOST_ROWS
    assert steps[0] == rows.stride
    assert steps[-1] > 10 * MOST_ROWS - 2 * rows.stride
    assert set(np.diff(steps)) == {rows.stride}
    assert np.array_equal(values[:, 0, 0], steps)


def test_a_thousand_chains_have_fewer_rows():
    rows = Rows(chains=1000, width=1 + PROJECTIONS)
    for step in range(3 * LEAST_ROWS):
        rows.add(step, torch.zeros(1000, 1 + PROJECTIONS))
    _, values = rows.copy()
    assert len(values) <= LEAST_ROWS
    assert MOST_CELLS // 1000 < LEAST_ROWS


def test_steps_that_were_undone_leave_the_record():
    rows = Rows(chains=1, width=1)
    for step in range(40):
        rows.add(step, torch.zeros(1, 1))
    rows.go_back_to(35)
    assert rows.copy()[0][-1] == 35
    rows.go_back_to(20)
    assert rows.copy()[0][-1] == 20
