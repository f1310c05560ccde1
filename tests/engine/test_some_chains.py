"""Changes for some chains: they are melted, restarted, held and released, and the others go on."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import Heated
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.melting import DISSOLVED, LEAST_S, Melting, correlation
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.errors import StudioError
from ldam_studio.export.exporting import export
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.sampler.kernels import KERNELS


def together(run, open_one, script, steps=12, chains=4, **settings):
    """Run two equal sessions, one of them with changes; return both."""
    plain, _ = run(open_one(chains=chains, **settings), steps)
    changed, infos = run(open_one(chains=chains, **settings), steps, script)
    assert not any(info.refused for info in infos)
    return plain, changed


def same_rows(one, other):
    return [torch.equal(a, b) for a, b in zip(one.lane.chains.x, other.lane.chains.x, strict=True)]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    "change",
    [
        Change("hold", (1, 2)),
        Change("restart_some", (1, 2)),
        Change("heat_some", Heated((1, 2), 9.0)),
    ],
    ids=str,
)
def test_only_the_chosen_chains_are_changed(run, open_one, change, kernel):
    settings = {"temperature": 1.0, "step_size": 0.002, "kernel": kernel}
    plain, changed = together(run, open_one, {5: [(change.name, change.value)]}, **settings)
    assert same_rows(plain, changed) == [True, False, False, True]


def test_held_chains_neither_move_nor_give_samples(run, open_one):
    before, _ = run(open_one(chains=3, temperature=0.1), 6)
    x, average = before.lane.chains.x, before.lane.average
    held, infos = run(before, 7, {6: [("hold", (1,))]})
    assert [torch.equal(a, b) for a, b in zip(x, held.lane.chains.x, strict=True)] == [
        False,
        True,
        False,
    ]
    assert held.lane.average.count.tolist() == [13, 6, 13]
    assert torch.equal(held.lane.average.mean[1], average.mean[1])
    assert infos[-1].lanes[0].change[1] == 0
    released, _ = run(held, 3, {13: [("release", (1,))]})
    assert not torch.equal(released.lane.chains.x[1], x[1])
    assert released.lane.average.count.tolist() == [16, 9, 16]


def test_burn_in_counts_the_steps_of_each_chain(run, open_one):
    script = {4: [("hold", (0,))], 7: [("release", (0,)), ("restart_some", (2,))]}
    state, infos = run(open_one(chains=3, temperature=0.1, burn_in="10"), 20, script)
    found = {}
    for number, info in enumerate(infos, 1):
        if (new := info.lanes[0].burned_in) is not None:
            for chain in new.nonzero().flatten().tolist():
                found.setdefault(chain, []).append(number)
    # The first chain rested for three steps, the last one began again after seven.
    assert found == {1: [11], 0: [14], 2: [18]}
    assert state.lane.progress.over and state.lane.average.count.tolist() == [7, 10, 3]


def test_a_held_chain_becomes_neither_burned_in_nor_steady(run, open_one):
    settings = {"temperature": 0.1, "step_size": 0.5}
    state, _ = run(open_one(chains=2, **settings), 10, {2: [("hold", (0,))]})
    state, _ = run(state, 300)
    assert state.lane.progress.done.tolist() == [False, True]
    state, _ = run(state, 400, {state.step: [("release", (0,))]})
    assert state.lane.progress.done.tolist() == [True, True]


def test_restarted_chains_begin_with_other_noise_each_time(run, open_one):
    state, _ = run(open_one(chains=2, temperature=0.1), 3)
    starts = [open_one(chains=2, temperature=0.1).lane.chains.x[0]]
    for _ in range(2):
        state, info = advance(state, [Change("restart_some", (0,))], 0)
        assert info.told == ("chain 1: restart",)
        starts.append(state.lane.chains.x[0])
        assert state.lane.average.count.tolist() == [0, 3]
    assert not any(torch.equal(a, b) for a, b in pairwise(starts))
    assert abs(starts[2].std() / starts[0].std() - 1) < 0.1


@pytest.mark.parametrize(
    ("change", "held", "heats"),
    [
        (Change("keep", (1, 3)), (1,), (5.0, 1.0)),
        (Change("chains", 2), (), (1.0, 5.0)),
        (Change("chains", 5), (3,), (1.0, 5.0, 1.0, 1.0, 1.0)),
        (Change("restart"), (), ()),
        (Change("seed", 4), (), ()),
        (Change("neurons", ("fc3:1",)), (), ()),
        (Change("heat", 1.0), (3,), ()),
        (Change("hold", (1,)), (1, 3), ()),
        (Change("heat_some", Heated((3,), 7.0)), (), (1.0, 5.0, 1.0, 7.0)),
        (Change("restart_some", (1, 3)), (), ()),
    ],
    ids=str,
)
def test_which_chains_are_held_and_hot_after_other_changes(run, open_one, change, held, heats):
    script = {3: [("hold", (3,)), ("heat_some", Heated((1,), 5.0))]}
    state, _ = run(open_one(chains=4, temperature=0.1), 6, script)
    kept = state.lane.average.mean[3]
    state, info = advance(state, [change])
    assert not info.refused and (state.held, state.heats) == (held, heats)
    own = [max(heat, 1.0) * 0.1 for heat in heats or (1.0,) * len(state.lane.neurons)]
    assert state.lane.parameters.temperature.flatten().tolist() == pytest.approx(own)
    if change.name in ("keep", "chains") and held:
        assert torch.equal(state.lane.average.mean[held[0]], kept)
        assert state.lane.average.count[held[0]] == 3
    again = from_tensors(*to_tensors(state))
    state, again = (run(each, 3)[0] for each in (state, again))
    assert torch.equal(state.lane.chains.x, again.lane.chains.x)
    assert (again.held, again.heats) == (state.held, state.heats)


def test_heat_under_a_schedule_and_beside_a_melt_of_all(run, open_one):
    settings = {"temperature": 0.1, "temperature_start": 1.0, "schedule": 100}
    state, _ = run(open_one(chains=2, **settings), 8, {2: [("heat_some", Heated((1,), 3.0))]})
    first, second = state.lane.parameters.temperature.flatten().tolist()
    assert second == pytest.approx(3 * first) and 0.1 < first < 1
    state, _ = run(state, 1, {8: [("heat", 2.0)]})
    first, second = state.lane.parameters.temperature.flatten().tolist()
    assert second == pytest.approx(1.5 * first)


def test_averages_of_held_chains_are_not_reset(run, open_one):
    state, _ = run(open_one(chains=2), 5, {3: [("hold", (0,))]})
    state, _ = advance(state, [Change("reset_average")], 0)
    assert state.lane.average.count.tolist() == [3, 0]


def test_compared_networks_are_changed_alike(run, open_one, lenet):
    state, _ = advance(open_one(chains=3, temperature=0.1), [Change("compare", LaneSpec(lenet))], 0)
    script = {2: [("restart_some", (0, 2)), ("hold", (1,))], 4: [("heat_some", Heated((0,), 4.0))]}
    state, _ = run(state, 8, script)
    first, second = state.lanes
    assert torch.equal(first.chains.x, second.chains.x)
    assert torch.equal(first.average.mean, second.average.mean)


def test_a_melt_of_some_chains_lasts_until_they_have_dissolved(run, open_one, tmp_path):
    now = [0.0]
    melting = Melting(lambda: now[0])
    state, _ = run(open_one(chains=4, temperature=0.01, clamp=True), 10)
    before, counts = state.lane.chains.x, []
    script = {
        2: Change("heat_some", Heated((0, 1), 100.0)),
        8: Change("heat_some", Heated((3,), 100.0)),
    }
    hot: list[list[int]] = []
    left: dict[int, float] = {}
    for step in range(400):
        state, _ = advance(state, [script[step]] if step in script else [], 0)
        melting.before_step(state)
        state, _ = advance(state)
        now[0] += 0.25
        state, info = advance(state, melting.after_step(state), 0)
        assert not info.refused
        hot.append([chain for chain, heat in enumerate(state.heats) if heat > 1])
        for cooled in [c for c in (hot[-2:] or [[]])[0] if c not in hot[-1]]:
            left[cooled] = correlation(state.lane.chains.x, before)[cooled].item()
        counts.append(state.lane.average.count.tolist())
        if step > 8 and not state.heats:
            break
    assert hot[3] == [0, 1] and {tuple(each) for each in hot} >= {(), (0, 1)}
    assert step * 0.25 >= LEAST_S and not state.heats
    assert (left[0] + left[1]) / 2 < DISSOLVED and left[3] < DISSOLVED and 2 not in left
    # Those that cooled average from then on, the other one all the time.
    assert counts[-1][3] == 0 and counts[-1][2] > counts[-1][0]
    export(state, Shown("strip"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png").identical


def test_held_chains_do_not_delay_a_melt_of_all(open_one):
    now = [0.0]
    melting = Melting(lambda: now[0])
    state, _ = advance(open_one(chains=2), [Change("hold", (0, 1)), Change("heat", 100.0)], 0)
    melting.before_step(state)
    now[0] = LEAST_S
    assert Change("heat", 1.0) in melting.after_step(state)


@pytest.mark.parametrize(
    "about",
    [
        {"held": [4]},
        {"held": [1, 0]},
        {"held": [-1]},
        {"held": "01"},
        {"heats": [2.0]},
        {"heats": [2.0, 0.5, 1.0]},
        {"heats": [2.0, float("nan"), 1.0]},
        {"heats": [2.0, 1e9, 1.0]},
    ],
    ids=str,
)
def test_a_damaged_session_file_is_refused(open_one, about):
    tensors, stored = to_tensors(open_one(chains=3))
    with pytest.raises(StudioError, match="incomplete or damaged"):
        from_tensors(tensors, stored | about)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("hold", ()), "no chain to hold; choose at least one"),
        (Change("release", (3,)), "chains to release are some of 0 to 2 in ascending order"),
        (Change("restart_some", (0, 0)), "chains to restart are some of 0 to 2"),
        (Change("heat_some", Heated((0,), 1e7)), "multiplied by 1 to 1,000,000, not by"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(open_one, change, words):
    state, info = advance(open_one(), [change], 0)
    assert len(info.refused) == 1 and words in info.refused[0]
    assert not state.log and state.outline == open_one().outline
