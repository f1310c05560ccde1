"""The runner from outside: another thread, as the window uses it."""

import random
import threading
import time

import numpy as np
import pytest

from ldam_studio.engine.frame import FrameRequest
from ldam_studio.engine.run_state import RunState
from ldam_studio.engine.runner import Runner
from ldam_studio.engine.state import snapshot

PATIENCE = 20.0


def until(condition, what="it"):
    """Wait for a condition of another thread; a failure says for what."""
    deadline = time.monotonic() + PATIENCE
    turn = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        turn.wait(0.002)


@pytest.fixture
def start(open_one):
    """Run a session on a thread; it is closed afterwards."""
    running = []

    def make(**keywords):
        states, errors = [], []
        runner = Runner(open_one(**keywords), states.append, errors.append)
        thread = threading.Thread(target=runner.run)
        thread.start()
        running.append((runner, thread))
        runner.states, runner.errors, runner.thread = states, errors, thread
        return runner

    yield make
    for runner, thread in running:
        runner.close()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def frame_of(runner, **request):
    runner.request_frame(FrameRequest(**request))
    frames = []
    until(lambda: frames.append(runner.mailbox.take()) or frames[-1], "a frame")
    return frames[-1]


def test_a_session_goes_on_without_an_observer_that_fails(start):
    def fail(_state, info):
        if info is not None:
            raise MemoryError("no room")

    runner, seen = start(), []
    runner.observe(fail)
    runner.observe(lambda _state, info: seen.append(info))
    runner.play()
    until(lambda: len(seen) > 3, "steps")
    (said,) = frame_of(runner).notices
    assert said.startswith("The record of the chains has stopped (MemoryError: no room);")
    assert runner.status.state is RunState.RUNNING


def test_play_pause_step_close(start):
    runner = start()
    assert runner.status.state is RunState.IDLE
    runner.play()
    until(lambda: runner.status.step >= 3, "steps")
    runner.pause()
    until(lambda: runner.status.state is RunState.PAUSED, "the pause")
    step = runner.status.step
    runner.step(2)
    until(lambda: runner.status.step == step + 2, "two steps")
    runner.close()
    runner.thread.join(PATIENCE)
    assert runner.states == [RunState.RUNNING, RunState.PAUSED, RunState.CLOSED]
    assert runner.status.step == step + 2


def test_frames_and_changes_are_served_while_paused(start):
    runner = start()
    before = frame_of(runner, front=1, display="image")
    assert before.step == 0
    assert before.lanes[0].raw.shape == (1, 28, 28)
    assert before.lanes[0].average is None
    runner.post("neurons", ["fc3:8"])
    after = frame_of(runner, front=2)
    assert after.lanes[0].labels == ("8", "8", "8")
    assert after.step == 0
    assert np.array_equal(frame_of(runner, front=1).lanes[0].raw, before.lanes[0].raw)


def test_no_step_is_lost_from_the_trace_when_frames_are_dropped(start):
    runner = start()
    runner.step(40)
    until(lambda: runner.status.step == 40, "40 steps")
    frame = frame_of(runner)
    assert frame.lanes[0].trace.steps.tolist() == list(range(1, 41))
    assert frame.lanes[0].trace.activation.shape == (40, 3)
    assert frame_of(runner).lanes[0].trace.steps.size == 0


def test_a_frame_is_not_changed_by_later_steps(start):
    runner = start()
    runner.step(1)
    until(lambda: runner.status.step == 1, "a step")
    frame = frame_of(runner).lanes[0]
    copies = (
        frame.raw.copy(),
        frame.average.copy(),
        frame.thumbnails.copy(),
    )
    runner.step(5)
    until(lambda: runner.status.step == 6, "more steps")
    assert np.array_equal(frame.raw, copies[0])
    assert np.array_equal(frame.average, copies[1])
    assert np.array_equal(frame.thumbnails, copies[2])


def test_an_explosion_pauses_with_a_sentence_and_play_goes_on(start):
    runner = start()
    runner.post("l2", 1000.0)
    runner.post("step_size", 10.0)
    runner.play()
    until(lambda: runner.errors, "the explosion")
    assert "lower the L2 weight or the step size" in runner.errors[0]
    until(lambda: runner.status.state is RunState.PAUSED, "the pause")
    assert np.isfinite(frame_of(runner).lanes[0].raw).all()
    runner.post("step_size", 0.1)
    runner.post("l2", 0.5)
    step = runner.status.step
    runner.play()
    until(lambda: runner.status.step > step + 2, "steps after the explosion")


def test_a_network_that_raises_fails_with_a_sentence_and_another_neuron_helps(start, monkeypatch):
    runner = start()

    def broken(*_):
        raise ValueError("wrong size")

    with monkeypatch.context() as patch:
        patch.setattr("ldam_studio.networks.network.Network.activation", broken)
        runner.play()
        until(lambda: runner.errors, "the failure")
        assert "lenet failed in fc3 (ValueError: wrong size)" in runner.errors[0]
        until(lambda: runner.status.state is RunState.FAILED, "the failure")
    runner.play()
    until(lambda: runner.status.step > 1, "steps after the failure")
    assert runner.status.error == ""


def test_questions_are_answered_between_steps_and_cancelled_at_the_end(start):
    runner = start()
    runner.play()
    assert runner.ask(lambda state: state.seed).result(PATIENCE) == 1
    with pytest.raises(ZeroDivisionError):
        runner.ask(lambda state: 1 / 0).result(PATIENCE)
    runner.close()
    runner.thread.join(PATIENCE)
    assert runner.ask(lambda state: 0).cancelled()


def test_what_was_asked_during_the_last_step_counts(start):
    runner = start()
    goes_on, begun = threading.Event(), threading.Event()
    runner.ask(lambda _state: (begun.set(), goes_on.wait(PATIENCE)))
    assert begun.wait(PATIENCE)
    moment = runner.ask(snapshot)
    runner.post("l2", 0.125)
    runner.post("temperature", 0.5)
    runner.return_to(moment)
    runner.post("temperature", 0.25)
    runner.play()
    runner.close()
    assert runner.ask(snapshot).cancelled()  # too late, but what came before still counts
    goes_on.set()
    left = runner.left.result(PATIENCE)
    assert left.lane.settings.temperature == 0.25
    assert left.lane.settings.l2 == moment.result(0).lane.settings.l2
    assert left.step == moment.result(0).step


def test_the_rate_can_be_held_back(start):
    runner = start()
    runner.post("max_rate", 20)
    started = time.monotonic()
    runner.play()
    until(lambda: runner.status.step >= 10, "ten steps")
    assert time.monotonic() - started >= 9 / 20


@pytest.mark.thorough
def test_thousands_of_changes_from_another_thread(start):
    runner = start(chains=2)
    runner.play()
    chance = random.Random(0)
    for _ in range(1000):
        runner.post("temperature", chance.uniform(0, 0.1))
        runner.post("discriminator_weight", chance.random())
        layer, size = chance.choice([("fc3", 10), ("conv1", 6), ("fc1", 120)])
        runner.post("neurons", [f"{layer}:{chance.randrange(size)}"])
        if chance.random() < 0.01:
            runner.post("seed", chance.randrange(100))
    step = runner.status.step
    until(lambda: runner.status.step > step + 1, "steps after the burst")
    assert runner.status.state is RunState.RUNNING
    assert runner.errors == []


def test_closing_is_quick_at_any_moment(start):
    for wait in (0, 1, 5):
        runner = start()
        runner.play()
        until(lambda runner=runner, wait=wait: runner.status.step >= wait, "steps")
        runner.post("neurons", ["conv2:1"])
        runner.close()
        step = runner.status.step
        runner.thread.join(PATIENCE)
        assert not runner.thread.is_alive()
        assert runner.status.step <= step + 1


def test_another_neuron_does_not_wait_for_the_step_in_progress(start, monkeypatch):
    runner = start(chains=2)
    reached, go_on = threading.Event(), threading.Event()
    make_way = runner._make_way

    def hold():
        reached.set()
        go_on.wait(PATIENCE)
        make_way()

    monkeypatch.setattr(runner, "_make_way", hold)
    runner.play()
    assert reached.wait(PATIENCE)
    runner.post("neurons", ["conv2:3"])
    runner.request_frame(FrameRequest())
    go_on.set()
    frames = []
    until(lambda: frames.append(runner.mailbox.take()) or frames[-1], "a frame")
    assert frames[-1].step == 0
    while str(frames[-1].lanes[0].neurons[0]) != "conv2:3":
        frames.append(frame_of(runner))
    until(lambda: runner.status.step > 2, "steps after it")


def test_what_was_asked_for_since_a_moment_is_not_done_after_going_back_to_it(start, monkeypatch):
    runner = start(chains=2)
    before = runner.ask(snapshot).result(PATIENCE)
    reached, go_on = threading.Event(), threading.Event()

    def hold():
        reached.set()
        go_on.wait(PATIENCE)

    monkeypatch.setattr(runner, "_make_way", hold)
    runner.play()
    assert reached.wait(PATIENCE)
    runner.post("restart")
    runner.return_to(before)
    runner.post("seed", 7)
    go_on.set()
    assert runner.ask(lambda state: [e.name for e in state.log]).result(PATIENCE) == ["seed"]


def test_single_steps_are_all_taken(start):
    runner = start(chains=1)
    for index in range(5):
        runner.post("neurons", [f"fc3:{index}"])
        runner.step()
    until(lambda: runner.status.step == 5, "five steps")


def test_a_stream_of_neurons_does_not_keep_the_chains_from_moving(start, monkeypatch):
    runner = start(chains=2)
    make_way = runner._make_way
    turn = iter(range(10**6))

    def another_each_time():
        runner.post("neurons", [f"fc3:{next(turn) % 10}"])
        make_way()

    monkeypatch.setattr(runner, "_make_way", another_each_time)
    runner.play()
    until(lambda: runner.status.step > 5, "steps in spite of it")
