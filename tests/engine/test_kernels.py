"""Every kernel in a session: melting, comparing, going back, storing, half precision."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from former_formats import without_lanes
from ldam_studio.engine import serialise
from ldam_studio.engine.advance import GivenUp, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.frame import FrameRequest, make_frame
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.kernels import KERNELS, State
from ldam_studio.sampler.settings import SETTINGS, Settings
from ldam_studio.sampler.terms import TERMS


@pytest.fixture(params=list(KERNELS))
def kernel(request):
    return request.param


def same(one, other):
    return all(
        torch.equal(a.chains.x, b.chains.x)
        and a.chains.memory.keys() == b.chains.memory.keys()
        and all(torch.equal(t, b.chains.memory[name]) for name, t in a.chains.memory.items())
        for a, b in zip(one.lanes, other.lanes, strict=True)
    )


def test_the_tables_and_the_settings_know_each_other():
    assert SETTINGS["kernel"].choices == tuple(KERNELS)
    for term in TERMS:
        assert SETTINGS[term.setting].per_chain and SETTINGS[term.setting].unsettles
    assert len({term.name for term in TERMS}) == len(TERMS)


def test_the_same_session_has_the_same_bits_with_changes_and_melting(
    open_one, run, kernel, untrained_discriminator
):
    script = {
        2: [("melt", 4)],
        5: [("temperature", 0.05), ("friction", 0.2)],
        7: [("jitter", 2), ("smoothness", 0.1), ("clamp", True)],
        9: [("neurons", (Neuron("fc3", 7),))],
        11: [("chains", 4), ("spectrum", 0.5)],
    }
    make = {"kernel": kernel, "discriminator": untrained_discriminator}
    one, infos = run(open_one(**make, discriminator_weight=0.5), 14, script)
    other, _ = run(open_one(**make, discriminator_weight=0.5), 14, script)
    assert same(one, other)
    assert one.lane.chains.x.isfinite().all()
    assert not any(info.refused for info in infos)


def test_melting_moves_chains_further(open_one, run, kernel):
    def moved(*changes):
        state, _ = run(open_one(kernel=kernel, mode="exact", step_size=0.01), 3)
        before = state.lane.chains.x
        state, _ = run(state, 5, {3: changes})
        return float((state.lane.chains.x - before).square().mean())

    if "noise" in KERNELS[kernel].draws(State(torch.zeros(1))):
        assert moved(("melt", 5)) > 4 * moved()
    else:
        assert moved(("melt", 5)) == moved()


def test_another_kernel_goes_on_from_the_same_pixels(open_one, run, kernel):
    state, _ = run(open_one(kernel=kernel), 4)
    for name in KERNELS:
        x = state.lane.chains.x
        state, _ = advance(state, [Change("kernel", name)], 0)
        assert torch.equal(state.lane.chains.x, x)
        state, info = advance(state)
        assert state.lane.chains.x.isfinite().all()
        tested = "accept" in KERNELS[name].draws(state.lane.chains)
        assert (info.lanes[0].acceptance is not None) == tested
    state, _ = advance(state, [Change("kernel", kernel)], 0)
    assert not state.lane.chains.memory or name == kernel


def test_a_snapshot_goes_on_with_the_same_bits(open_one, run, kernel):
    state, _ = run(open_one(kernel=kernel), 3)
    kept = snapshot(state)
    ahead, _ = run(state, 5, {4: [("l2", 0.1)]})
    behind, _ = run(snapshot(kept), 5, {4: [("l2", 0.1)]})
    assert same(ahead, behind)


def test_a_stored_session_goes_on_with_the_same_bits(open_one, run, lenet, kernel):
    state = open_one(kernel=kernel, chains=2)
    state, _ = advance(state, [Change("compare", LaneSpec(lenet, settings=Settings()))], 0)
    state, _ = run(state, 4)
    tensors, about = serialise.to_tensors(state)
    again = serialise.from_tensors(tensors, json.loads(json.dumps(about)))
    assert same(state, again)
    assert same(run(state, 4)[0], run(again, 4)[0])


@pytest.mark.parametrize("shape", [(1, 7), (1,), (1, 1, 28, 28)])
def test_memory_that_is_not_shaped_like_the_chains_is_refused(open_one, run, shape):
    state, _ = run(open_one(kernel="underdamped"), 2)
    tensors, about = serialise.to_tensors(state)
    tensors["lanes.0.memory.velocity"] = torch.zeros(shape, dtype=torch.float64)
    with pytest.raises(StudioError, match="incomplete or damaged"):
        serialise.from_tensors(tensors, about)


def test_moments_of_0_1_0_are_read(open_one, run):
    state, _ = run(open_one(kernel="bidmach"), 4)
    tensors, about = serialise.to_tensors(state)
    named = ((name.removeprefix("lanes.0."), tensor) for name, tensor in tensors.items())
    old = {name.replace("memory.", "moments."): tensor for name, tensor in named}
    old["moments.discriminator_square"] = torch.zeros_like(state.lane.chains.x)
    about |= about.pop("lanes")[0] | {"session": without_lanes(about["session"])}
    settings = about["session"]["settings"]
    settings["mode"] = "reference"
    del settings["kernel"], settings["friction"]
    again = serialise.from_tensors(old, about)
    assert again.lane.settings.kernel == "bidmach"
    ahead, behind = run(state, 4)[0], run(again, 4)[0]
    assert torch.equal(ahead.lane.chains.x, behind.lane.chains.x)


def test_lanes_are_fed_the_same_numbers(open_one, run, lenet, kernel):
    alone, _ = run(open_one(kernel=kernel), 6)
    beside = open_one(kernel=kernel)
    beside, _ = advance(beside, [Change("compare", LaneSpec(lenet, restart=True))], 0)
    beside, _ = run(beside, 6)
    first, second = beside.lanes
    assert torch.equal(alone.lane.chains.x, first.chains.x)
    assert torch.equal(first.chains.x, second.chains.x)
    # A lane with another kernel changes nothing for the first.
    other = open_one(kernel=kernel)
    second = LaneSpec(lenet, settings=Settings(kernel="mala"))
    other, _ = advance(other, [Change("compare", second)], 0)
    other, _ = run(other, 6)
    assert torch.equal(alone.lane.chains.x, other.lanes[0].chains.x)


def test_a_step_that_is_given_up_draws_nothing(open_one, run, kernel):
    def give_up():
        raise GivenUp

    plain, _ = run(open_one(kernel=kernel), 4)
    disturbed = open_one(kernel=kernel)
    for _ in range(4):
        disturbed, _ = advance(disturbed, between=give_up)
        disturbed, _ = advance(disturbed)
    assert same(plain, disturbed)


def test_steps_that_are_confirmed_later_are_the_same(open_one, kernel):
    plain, lagging = open_one(kernel=kernel), open_one(kernel=kernel)
    for _ in range(6):
        plain, _ = advance(plain)
        lagging, _ = advance(lagging, lag=3)
    lagging, _ = advance(lagging, budget=0)
    assert same(plain, lagging)


def test_it_runs_in_bfloat16(lenet, run, kernel):
    device = replace(choose("cpu"), precision="bfloat16")
    spec = SessionSpec(lenet, lenet.default_neurons(2), Settings(kernel=kernel), device=device)
    state, infos = run(open_session(spec), 4)
    assert state.lane.chains.x.dtype == torch.float32
    assert state.lane.chains.x.isfinite().all()
    assert infos[-1].lanes[0].activation.isfinite().all()


def test_a_silent_neuron_is_woken(open_on, run, kernel):
    state = open_on(Neuron("rectifier", 0), Neuron("rectifier", 1), kernel=kernel)
    state, _ = run(state, 60)
    state, _ = advance(state, budget=0)
    assert state.lane.waking.answered.tolist() == [True, True]
    assert state.lane.waking.led.tolist() == [False, True]


def test_acceptance_is_told_of_each_chain(open_one, run):
    _, infos = run(open_one(kernel="mala", step_size=0.05, temperature=1.0), 30)
    accepted = torch.stack([info.lanes[0].acceptance for info in infos])
    assert accepted.shape == (30, 3)
    assert set(accepted.unique().tolist()) <= {0.0, 1.0}
    assert 0 < float(accepted.mean())


def test_a_frame_has_the_acceptance_of_its_steps(open_one, run):
    def trace_of(state, infos):
        frame = make_frame(
            state,
            FrameRequest(),
            number=1,
            infos=infos,
            notices=(),
            steps_per_second=0.0,
            commands_seen=0,
            lesson=None,
        )
        return frame.lanes[0].trace.acceptance

    state, plain = run(open_one(), 2)
    assert np.isnan(trace_of(state, plain)).all()
    state, tested = run(state, 3, {2: [("kernel", "mala")]})
    found = trace_of(state, [*plain, *tested])
    assert found.shape == (5, 3)
    assert np.isnan(found[:2]).all() and np.isin(found[2:], (0, 1)).all()
