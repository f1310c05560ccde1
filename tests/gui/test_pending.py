"""What was asked of a session shows at once, until the session tells what became of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gui import fakes
from gui.windows import CPU, compare_with_itself, controls, open_in, small_opening, until
from ldam_studio.engine import runner as running
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.outline import LaneOutline, Outline
from ldam_studio.engine.state import snapshot
from ldam_studio.gui.per_lane import PerLane
from ldam_studio.gui.session.lanes import changes_to, value_over_lanes
from ldam_studio.gui.session.model import Model
from ldam_studio.gui.session.pending import Pending
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import Settings


@pytest.fixture(scope="module")
def told():
    network = fakes.lenet()
    return Outline((LaneOutline(network, network.default_neurons(3), Settings()),), device=CPU)


# Without a window


def test_changes_are_on_top_until_they_are_seen(told):
    pending = Pending()
    pending.add(4, Change("chains", 5))
    pending.add(6, Change("l2", 0.25))
    after = pending.on_top_of(told)
    assert (after.chains, after.lane.settings.l2) == (5, 0.25)
    pending.forget_seen(5)
    after = pending.on_top_of(told)
    assert (after.chains, after.lane.settings.l2) == (3, 0.25)
    pending.forget_seen(6)
    assert pending.on_top_of(told) == told


def test_what_cannot_be_made_is_left_out(told):
    pending = Pending()
    pending.add(1, Change("l2", 0.25, lane=1))
    pending.add(2, Change("l2", 0.5))
    assert pending.on_top_of(told) == told.after(Change("l2", 0.5))


def test_going_back_takes_the_place_of_all_before_it(told):
    pending = Pending()
    moment = told.after(Change("l2", 0.1))
    pending.add(1, Change("chains", 7))
    pending.add(2, moment)
    pending.add(3, Change("seed", 9))
    assert pending.on_top_of(told) == moment.after(Change("seed", 9))


def test_what_is_held_comes_last_and_stays(told):
    pending = Pending()
    pending.hold(Change("learn_every", 7))
    pending.hold(Change("learn_every", 5))
    pending.add(1, Change("learn_every", 0))
    assert pending.on_top_of(told).learn_every == 5
    pending.forget_seen(1)
    assert pending.on_top_of(told).learn_every == 5
    assert pending.release_all() == (Change("learn_every", 5),)
    assert pending.on_top_of(told) == told


def test_a_value_over_lanes_is_one_or_one_per_lane(told):
    both = told.after(Change("compare", LaneSpec(told.lane.network)))
    assert value_over_lanes(both, "l2") == both.lane.settings.l2
    apart = both.after(Change("l2", 0.25, lane=1))
    values = value_over_lanes(apart, "l2")
    assert values == PerLane((both.lane.settings.l2, 0.25)) and isinstance(values, PerLane)
    made = both
    for change in changes_to(both, "l2", values, None):
        made = made.after(change)
    assert made == apart
    assert changes_to(told, "l2", values, None) == [Change("l2", values[0], 0)]
    assert changes_to(both, "chains", 4, 1) == [Change("chains", 4)]


def test_signals_tell_what_differs_and_nothing_else(qtbot, told):
    model, heard = Model(), []
    model.adopt(told, "Three", rows=("a",), front=2)
    model.value_changed.connect(heard.append)
    model.neurons_changed.connect(lambda: heard.append("neurons"))
    model.session_changed.connect(lambda: heard.append("session"))
    model.weights_changed.connect(lambda: heard.append("weights"))
    model.comparison_changed.connect(lambda: heard.append("comparison"))
    model.expect((1, Change("l2", 0.25)), (2, Change("chains", 2)))
    assert heard == ["neurons", "l2", "chains"]
    assert (model.front, model.rows) == (1, ())
    heard.clear()
    model.tell(told.after(Change("l2", 0.25)).after(Change("chains", 2)), 2)
    assert heard == []
    model.expect((3, Change("compare", LaneSpec(told.lane.network))))
    assert heard == ["comparison", "neurons"]
    heard.clear()
    # It was refused.
    model.tell(told.after(Change("chains", 2)), 3)
    assert heard == ["comparison", "neurons", "l2"]
    assert model.outline.lane.settings.l2 == told.lane.settings.l2
    heard.clear()
    twin = told.lane.network.with_weights(told.lane.network.module.state_dict(), Path("w"), "0")
    model.expect((4, Change("weights", twin)))
    assert heard == ["weights"] and model.title == "Three"
    model.expect((5, Change("network", fakes.lenet())))
    assert heard == ["weights", "session"] and model.title == "lenet"


# In a window


class Steps:
    """Steps of the sampler, which a test lets wait."""

    def __init__(self) -> None:
        self._begun, self._may_end = threading.Event(), threading.Event()
        self._may_end.set()

    def wait(self) -> None:
        """Called before each step, on the sampler's thread."""
        if not self._may_end.is_set():
            self._begun.set()
            assert self._may_end.wait(60)

    def stop(self, qtbot) -> None:
        """Let the next step not end, and wait until it has begun."""
        self._begun.clear()
        self._may_end.clear()
        until(qtbot, self._begun.is_set)

    def go_on(self) -> None:
        """Let steps end."""
        self._may_end.set()


@pytest.fixture
def steps(monkeypatch):
    """Give the steps of all sessions."""
    made, advance = Steps(), running.advance

    def slowly(state, changes, budget, *rest):
        if budget:
            made.wait()
        return advance(state, changes, budget, *rest)

    monkeypatch.setattr(running, "advance", slowly)
    yield made
    made.go_on()


def whole(window):
    return window.controller.ask(snapshot).result(30)


def test_restart_slider_undo_undo_within_a_step_is_the_state_before(make_window, qtbot, steps):
    window = open_in(make_window(), qtbot, small_opening(temperature=0.01))
    steps.stop(qtbot)
    before = window.controller.ask(snapshot)
    controller, actions = window.controller, window.actions_by_name
    controller.restart()
    controller.set_value("temperature", 0.5)
    assert actions["undo"].text() == "Undo Temperature"
    assert window.model.outline.lane.settings.temperature == 0.5
    controller.undo()
    assert actions["undo"].text() == "Undo Restart"
    assert window.model.outline.lane.settings.temperature == 0.01
    controller.undo()
    controller.pause()
    after = window.controller.ask(snapshot)
    steps.go_on()
    until(qtbot, lambda: window.model.run_state.value == "paused")
    before, after = before.result(30), after.result(30)
    assert after.step == before.step and after.log == []
    assert after.outline == before.outline == window.model.outline
    assert torch.equal(after.lane.chains.x, before.lane.chains.x)
    assert controls(window).rows["temperature"].field.text() == "0.01"
    controller.redo()
    controller.redo()
    log = [(entry.name, entry.value) for entry in whole(window).log]
    assert log == [("restart", None), ("temperature", 0.5)]


def test_going_back_shows_the_moment_before_the_sampler_is_there(make_window, qtbot, steps):
    window = open_in(make_window(), qtbot, small_opening())
    compare_with_itself(window, qtbot, title="epoch 3")
    both = window.model.outline
    steps.stop(qtbot)
    window.controller.end_comparison()
    window.controller.set_value("chains", 5)
    assert not window.model.is_comparing and window.model.chains == 5
    window.controller.undo()
    window.controller.undo()
    assert window.model.outline == both
    assert window.model.lane_titles() == {1: "epoch 3"}
    steps.go_on()
    until(qtbot, lambda: window.last_frame.commands_seen >= 4)
    assert whole(window).outline == both == window.model.outline


def test_more_chains_are_shown_at_once(make_window, qtbot, steps):
    window = open_in(make_window(), qtbot, small_opening("fc3:0-9"))
    ten = window.model.outline.lane.neurons
    window.controller.set_front(7)
    steps.stop(qtbot)
    window.controller.set_value("chains", 4)
    assert window.model.outline.lane.neurons == (*ten[:3], ten[7]) and window.model.front == 3
    assert len(window.strip.layout_now.thumbs) == 4
    window.controller.undo()
    assert window.model.outline.lane.neurons == ten
    steps.go_on()
    assert whole(window).lane.neurons == ten
    # Neurons that are named one by one are as many chains, which undo brings back, too.
    window.controller.set_neurons((Neuron("fc2", 0), Neuron("fc2", 1)))
    assert window.model.chains == 2
    window.controller.undo()
    assert whole(window).lane.neurons == ten


def test_what_the_session_refuses_is_shown_no_longer(make_window, qtbot, monkeypatch):
    window = open_in(make_window(), qtbot, small_opening())
    before = window.model.outline
    window.model.expect((window.controller.runner.post("seed", -1), replace(before, seed=-1)))
    assert window.model.outline.seed == -1
    until(qtbot, lambda: window.model.outline == before)
    assert "The seed must be a whole number" in window.banner.texts()[0]


def test_undo_brings_the_neurons_of_each_lane_back(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening())
    controller = window.controller
    compare_with_itself(window, qtbot)
    controller.act_on(1)
    controller.set_neurons(Neuron("fc1", 7))
    controller.act_on(None)
    controller.set_value("thin", 2)
    apart = window.model.outline
    controller.set_neurons(Neuron("fc2", 3))
    controller.act_on(0)
    controller.set_value("l2", 0.1)
    # Whatever is acted on by now, it is taken back where it was done.
    controller.act_on(1)
    controller.undo()
    controller.undo()
    assert window.model.outline == apart
    assert whole(window).outline == apart


def test_any_change_can_be_made_and_undone_under_its_own_name(studio, qtbot):
    controller, before = studio.controller, studio.model.value("chains")
    controller.make(Change("chains", before + 2), "Two More Chains")
    assert studio.model.value("chains") == before + 2
    assert controller.undo_stack.stack.undoText() == "Two More Chains"
    controller.undo()
    assert studio.model.value("chains") == before
    said = []
    controller.said.connect(lambda text, _kind: said.append(text))
    controller.make(Change("chains", -1), "Fewer Chains")
    assert len(said) == 1 and controller.undo_stack.stack.undoText() != "Fewer Chains"
