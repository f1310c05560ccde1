"""Steps taken on trust, as on CUDA: the host waits for nothing, and what comes out is the same."""

import math

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ldam_studio.engine.advance import ChainsExploded, advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute import device
from ldam_studio.engine.compute.transfer import Arriving
from ldam_studio.engine.frame import FrameRequest
from ldam_studio.engine.run_state import RunState
from ldam_studio.engine.runner import Runner
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.kernels import KERNELS
from ldam_studio.sampler.random import Generators

LAG = 6
BY_NAME = {"tolist", "item", "numpy", "cpu", "__bool__", "__float__", "__int__", "__index__"}
"""What the host does to a tensor when it has to wait for its values."""
BY_OPERATION = {
    "aten::_local_scalar_dense",
    "aten::is_nonzero",
    "aten::nonzero",
    "aten::masked_select",
    "aten::equal",
    "aten::_unique2",
}


class Waits:
    """Counts what a step on an accelerator would have waited for."""

    def __init__(self):
        found = self.found = []

        class Names(TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                if getattr(func, "__name__", "") in BY_NAME:
                    found.append(func.__name__)
                return func(*args, **(kwargs or {}))

        class Operations(TorchDispatchMode):
            def __torch_dispatch__(self, func, types, args=(), kwargs=None):
                if func._schema.name in BY_OPERATION:
                    found.append(func._schema.name)
                return func(*args, **(kwargs or {}))

        self._modes = Names(), Operations()

    def __enter__(self):
        for mode in self._modes:
            mode.__enter__()
        return self.found

    def __exit__(self, *_):
        for mode in reversed(self._modes):
            mode.__exit__(None, None, None)


def go(state, steps, script=None, lag=0):
    """Advance by so many steps; `script` maps a step to the changes before it, once."""
    script = dict(script or {})
    end = state.step + steps
    marks = {}
    while True:
        while state.step < end:
            changes = [Change(*c) for c in script.pop(state.step, ())]
            state, info = advance(state, changes, lag=lag)
            marks = {s: said for s, said in marks.items() if s < state.step} | {info.step: info}
        state, _ = advance(state, budget=0)
        if state.step == end:
            return state, [(s, mark) for s, info in marks.items() for mark in info.marks]


def assert_same(one, other):
    assert one.step == other.step
    assert one.log == other.log
    for name in ("mean", "variance", "count"):
        assert torch.equal(getattr(one.lane.average, name), getattr(other.lane.average, name))
    for name in ("quiet", "answered", "led"):
        assert torch.equal(getattr(one.lane.waking, name), getattr(other.lane.waking, name))
    assert torch.equal(one.lane.chains.x, other.lane.chains.x)
    assert torch.equal(one.lane.progress.done, other.lane.progress.done)


@pytest.mark.parametrize(
    "settings",
    [{}, {"burn_in": 4, "mode": "exact"}, *({"kernel": name} for name in KERNELS)],
)
def test_a_step_waits_for_nothing(open_one, monkeypatch, settings):
    state, _ = go(open_one(**settings), 2)
    read = []
    original = Arriving.read
    monkeypatch.setattr(Arriving, "read", lambda it: read.append(state.step) or original(it))
    with Waits() as found:
        for _ in range(LAG):
            state, _ = advance(state, lag=LAG)
        assert not found and not read
        # From then on the oldest verdict is read, which arrived long ago.
        state, _ = advance(state, lag=LAG)
    assert read == [3 + LAG]
    assert set(found) <= {"tolist"}
    assert len(state.unconfirmed) == LAG


def test_what_would_be_waited_for_is_counted(open_one):
    with Waits() as found:
        advance(open_one())
    assert found


def test_the_size_of_a_jump_is_drawn_where_it_is_needed():
    assert Generators(1, "cuda")["jitter"].device.type == "cpu"


def test_any_lag_gives_the_same_bits_and_marks(open_one):
    script = {
        3: [("temperature", 0.3)],
        9: [("neurons", ["fc3:7", "fc3:1", "fc3:1"])],
        12: [("melt", 4)],
        20: [("burn_in", 10)],
        22: [("jitter", 2)],
    }
    seen, marks = go(open_one(), 40, script)
    trusted, later = go(open_one(), 40, script, LAG)
    assert_same(trusted, seen)
    assert later == marks
    assert any("burned in" in mark for _, mark in marks)


def test_lessons_come_at_their_steps(open_one, untrained_discriminator):
    given = {"discriminator": untrained_discriminator, "discriminator_weight": 0.5}
    seen, _ = go(open_one(learn_every=4, **given), 10)
    trusted, _ = go(open_one(learn_every=4, **given), 10, lag=LAG)
    assert trusted.learner.rounds == 2
    assert_same(trusted, seen)


def test_a_chain_that_falls_silent_on_the_way_is_led_from_the_same_step(open_on):
    def falling(lag):
        state = open_on(Neuron("rectifier", 1), Neuron("rectifier", 0), seed=4)
        calm = 0
        state, _ = go(state, 40)
        assert state.lane.waking.calm
        # Pulled strongly to rest, the unit falls silent again.
        state, _ = advance(state, [Change("l2", 8.0)], budget=0)
        for _ in range(60):
            state, _ = advance(state, lag=lag)
            calm += state.lane.waking.calm
        state, _ = advance(state, budget=0)
        return go(state, 120 - state.step)[0], calm

    (seen, _), (trusted, calm) = falling(0), falling(LAG)
    assert 0 < calm < 60
    assert_same(trusted, seen)


def explode(state, lag):
    state, _ = advance(state, [Change("step_size", 10.0), Change("l2", 1000.0)], lag=lag)
    with pytest.raises(ChainsExploded) as failure:
        for _ in range(200):
            state, _ = advance(state, lag=lag)
    return failure.value.state, str(failure.value)


def test_an_explosion_is_told_later_and_nothing_is_left_of_the_steps_since(open_one):
    seen, sentence = explode(open_one(jitter=1), 0)
    trusted, later = explode(open_one(jitter=1), LAG)
    assert later == sentence
    assert not trusted.unconfirmed
    assert_same(trusted, seen)
    calmer = {seen.step: [("step_size", 0.1), ("l2", 0.5), ("clamp", True)]}
    assert_same(go(trusted, 3, calmer, LAG)[0], go(seen, 3, calmer)[0])


def test_a_change_that_comes_before_the_news_of_an_explosion_takes_effect(open_one):
    state, _ = go(open_one(), 3)
    good = state.lane.chains.x.clone()
    state.lane.chains.x.fill_(math.inf)
    for _ in range(2):
        state, _ = advance(state, lag=LAG)
    assert state.step == 5
    with pytest.raises(ChainsExploded, match="in step 4:") as failure:
        advance(state, [Change("temperature", 0.7)], lag=LAG)
    state = failure.value.state
    assert (state.step, state.lane.settings.temperature) == (3, 0.7)
    state.lane.chains.x.copy_(good)
    plain, _ = go(open_one(), 3)
    change = {3: [("temperature", 0.7)]}
    assert torch.equal(go(state, 2)[0].lane.chains.x, go(plain, 2, change)[0].lane.chains.x)


def test_a_runner_shows_and_answers_only_what_went_well(open_one, monkeypatch):
    monkeypatch.setattr(device.Device, "lag", property(lambda _: LAG))
    state, frames, errors = open_one(), [], []
    runner = Runner(state, on_error=errors.append)

    def drive():
        """Stand in for the wait: ask for one frame in five steps, then for one at the end."""
        if errors:
            runner.close()
        elif state.step % 5 == 4:
            runner.request_frame(FrameRequest())
        frames.append(runner.mailbox.take())
        return not errors

    monkeypatch.setattr(runner, "_wait_for_work", drive)
    runner.post("step_size", 10.0)
    runner.post("l2", 1000.0)
    runner.play()
    runner.run()
    expected, sentence = explode(open_one(), 0)
    assert errors == [sentence]
    assert runner.status.state is RunState.CLOSED
    assert_same(state, expected)
    shown = [frame for frame in frames if frame is not None]
    steps = [int(step) for frame in shown for step in frame.lanes[0].trace.steps]
    assert steps == list(range(1, steps[-1] + 1))
    assert steps[-1] <= expected.step
