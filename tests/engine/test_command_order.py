"""What is asked of a session while it steps is done in the order in which it was asked for."""

import threading

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.frame import FrameRequest
from ldam_studio.engine.run_state import RunState
from ldam_studio.engine.runner import Runner
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.settings import Settings

PATIENCE = 20.0


def make_network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential()
        module.add_module("flatten", nn.Flatten())
        module.add_module("first", nn.Linear(16, 6))
        module.add_module("bend", nn.Tanh())
        module.add_module("last", nn.Linear(6, 3))
    return Network("tiny", module, PixelSpec(1, 4, 4, (0.0,), (1.0,)))


NETWORK = make_network()


def opened():
    """Return a session whose chains are burned in early, so that much depends on when."""
    chosen = Settings.of(threshold=-1e9, jitter=1, window=5)
    neurons = (Neuron("last", 0), Neuron("last", 1))
    return open_session(SessionSpec(NETWORK, neurons, chosen, seed=3))


class Slow:
    """A session on a thread of its own, each step of which can be held in the middle."""

    def __init__(self):
        self.runner = Runner(opened())
        self.reached, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.holds = False
        self._make_way = self.runner._make_way
        self.runner._make_way = self._hold
        self._thread = threading.Thread(target=self.runner.run)

    def _hold(self):
        if self.holds:
            self.reached.release()
            assert self.go_on.acquire(timeout=PATIENCE)
        self._make_way()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.holds = False
        self.go_on.release()
        self.runner.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def in_a_step(self):
        """Wait until a step is in progress, and hold it."""
        self.holds = True
        assert self.reached.acquire(timeout=PATIENCE)

    def go(self):
        self.holds = False
        self.go_on.release()


def logged(runner):
    return runner.ask(lambda state: [(e.name, e.value) for e in state.log]).result(PATIENCE)


def restart_then_slider(slow):
    """Ask for both while a step is in progress; returns the moment before them."""
    slow.runner.post("l2", 0.25)
    slow.runner.play()
    slow.in_a_step()
    moment = slow.runner.ask(snapshot)
    slow.runner.post("restart")
    slow.runner.post("l2", 0.75)
    return moment


def test_restart_and_slider_are_logged_as_they_were_asked_for():
    with Slow() as slow:
        restart_then_slider(slow)
        slow.go()
        assert logged(slow.runner) == [("l2", 0.25), ("restart", None), ("l2", 0.75)]


def test_returning_to_the_moment_before_a_restart_brings_the_old_slider_value_back():
    with Slow() as slow:
        moment = restart_then_slider(slow)
        slow.runner.return_to(moment)
        slow.runner.pause()
        now = slow.runner.ask(snapshot)
        slow.go()
        before, now = moment.result(PATIENCE), now.result(PATIENCE)
        assert before.lane.settings.l2 == now.lane.settings.l2 == 0.25
        assert [(e.name, e.value) for e in now.log] == [("l2", 0.25)]
        assert before.step == now.step > 0
        assert torch.equal(before.lane.chains.x, now.lane.chains.x)


def test_what_is_asked_after_returning_is_done_to_the_restored_session():
    with Slow() as slow:
        moment = restart_then_slider(slow)
        slow.runner.return_to(moment)
        slow.runner.post("temperature", 0.5)
        slow.go()
        assert logged(slow.runner) == [("l2", 0.25), ("temperature", 0.5)]


def test_returning_to_a_moment_whose_question_was_cancelled_does_nothing():
    with Slow() as slow:
        moment = restart_then_slider(slow)
        assert moment.cancel()
        slow.runner.return_to(moment)
        slow.go()
        assert logged(slow.runner)[-1] == ("l2", 0.75)


def test_a_question_sees_what_was_asked_before_it_and_nothing_after():
    with Slow() as slow:
        runner, answers = slow.runner, []
        for value in (0.1, 0.2, 0.3):
            runner.post("l2", value)
            answers.append(runner.ask(lambda state: state.lane.settings.l2))
            runner.step()
            answers.append(runner.ask(lambda state: state.step))
        assert [a.result(PATIENCE) for a in answers] == [0.1, 1, 0.2, 2, 0.3, 3]


def test_play_and_pause_are_done_in_order():
    with Slow() as slow:
        runner, states = slow.runner, []
        runner._on_state = states.append
        runner.play()
        runner.pause()
        runner.play()
        step = runner.step(2)
        runner.ask(lambda state: state.step).result(PATIENCE)
        assert states == [RunState.RUNNING, RunState.PAUSED, RunState.RUNNING, RunState.PAUSED]
        assert step == 4


def test_a_frame_says_which_commands_it_has_seen():
    with Slow() as slow:
        runner = slow.runner
        runner.play()
        slow.in_a_step()
        numbers = [runner.post("l2", value) for value in (0.1, 0.2)]
        numbers.append(runner.post("l2", -1.0))  # refused
        numbers.append(runner.pause())
        assert numbers == [2, 3, 4, 5]
        slow.go()
        runner.ask(lambda state: None).result(PATIENCE)
        runner.request_frame(FrameRequest())
        frame = None
        while frame is None:
            frame = runner.mailbox.take()
        assert frame.commands_seen == 6
        assert frame.notices


# Any commands, from two threads

LANE = st.sampled_from([None, 0, 1])
COMMANDS = st.one_of(
    st.tuples(st.just("temperature"), st.sampled_from([0.0, 0.01, 0.1]), LANE),
    st.tuples(st.just("l2"), st.sampled_from([0.1, 0.5]), LANE),
    st.tuples(st.just("start_spread"), st.sampled_from([0.1, 0.3])),
    st.tuples(st.just("clamp"), st.booleans(), LANE),
    st.tuples(st.just("neurons"), st.sampled_from([["last:2"], ["first:4"], ["bend:1"]]), LANE),
    st.tuples(st.just("chains"), st.integers(1, 3)),
    st.tuples(st.just("seed"), st.integers(0, 3)),
    st.tuples(st.just("melt"), st.integers(0, 4)),
    st.tuples(st.just("compare"), st.sampled_from([None, True, False])),
    st.just(("restart",)),
    st.just(("reset_average",)),
    st.just(("ask",)),
    st.just(("return",)),
    st.tuples(st.just("steps"), st.integers(1, 3)),
    st.just(("play",)),
    st.just(("pause",)),
)


def do(runner, moments, name, *rest):
    if name == "ask":
        moments.append(runner.ask(snapshot))
    elif name == "return":
        if moments:
            runner.return_to(moments[-1])
    elif name == "steps":
        runner.step(*rest)
    elif name in ("play", "pause"):
        getattr(runner, name)()
    elif name == "compare":
        runner.post(name, None if rest[0] is None else LaneSpec(NETWORK, restart=rest[0]))
    else:
        runner.post(name, *rest)


def change_of(entry):
    value = entry.value
    if entry.name == "compare" and value is not None:
        assert value["neurons"] is value["settings"] is None
        value = LaneSpec(NETWORK, restart=value["restart"])
    return Change(entry.name, value, entry.lane)


def replayed(log, steps):
    state = opened()
    for entry in log:
        while state.step < entry.step:
            state, _ = advance(state)
        state, info = advance(state, [change_of(entry)], 0)
        assert not info.refused
    while state.step < steps:
        state, _ = advance(state)
    return state


@settings(max_examples=25, deadline=None)
@given(st.lists(COMMANDS, max_size=12), st.lists(COMMANDS, max_size=12))
def test_whatever_is_asked_by_two_threads_the_log_replays_to_the_same_bits(one, other):
    runner = Runner(opened())

    def post(commands):
        moments = []
        for command in commands:
            do(runner, moments, *command)

    threads = [threading.Thread(target=runner.run)]
    threads += [threading.Thread(target=post, args=(commands,)) for commands in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads[1:]:
        thread.join(PATIENCE)
    runner.step(8)
    final = runner.ask(snapshot).result(PATIENCE)
    runner.close()
    threads[0].join(PATIENCE)
    assert [entry.step for entry in final.log] == sorted(entry.step for entry in final.log)
    again = replayed(final.log, final.step)
    assert len(again.lanes) == len(final.lanes)
    for lane, same in zip(final.lanes, again.lanes, strict=True):
        assert torch.equal(lane.chains.x, same.chains.x)
        assert torch.equal(lane.average.mean, same.average.mean)
        assert torch.equal(lane.average.count, same.average.count)


def test_a_setting_that_was_away_and_came_back_within_a_step_is_replayed():
    state = opened()
    for _ in range(5):
        state, _ = advance(state)
    for value in (0.3, 0.2, 0.01):
        state, _ = advance(state, [Change("temperature", value)], 0)
    assert [entry.value for entry in state.log] == [0.2, 0.01]
    for _ in range(30):
        state, _ = advance(state)
    again = replayed(state.log, state.step)
    assert torch.equal(state.lane.progress.total, again.lane.progress.total)
    assert torch.equal(state.lane.average.mean, again.lane.average.mean)
