"""What starts over can be taken back, and a session that another replaced is a click away."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest
import torch
from PyQt6.QtWidgets import QPushButton

from gui.windows import PATIENCE_MS, close_saved, learner, open_in, paused, small_opening, until
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.session.store import SessionStore
from ldam_studio.gui.session.undo import MOMENT, MOST_MOMENTS, Undo
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network


def moment(window):
    return window.controller.ask(snapshot).result(20)


@pytest.mark.parametrize("name", ["restart", "new_seed", "reset_average"])
def test_starting_over_is_undone_and_done_again(studio, qtbot, name):
    paused(studio, qtbot)
    before = moment(studio)
    studio.actions_by_name[name].trigger()
    until(qtbot, lambda: bool(moment(studio).log))
    (done,) = moment(studio).log
    studio.actions_by_name["undo"].trigger()
    until(qtbot, lambda: not moment(studio).log)
    again = moment(studio)
    assert (again.step, again.seed) == (before.step, before.seed)
    assert torch.equal(again.lane.chains.x, before.lane.chains.x)
    assert torch.equal(again.lane.average.count, before.lane.average.count)
    until(qtbot, lambda: studio.model.outline.seed == before.seed)
    studio.actions_by_name["redo"].trigger()
    until(qtbot, lambda: moment(studio).log == [done])
    assert studio.model.outline.seed == moment(studio).seed


def test_settings_changed_since_are_taken_back_first():
    undo = Undo()
    undo.note({"l2": 1.0}, {"l2": 2.0})
    undo.note_moment("then", ("restart", None))
    undo.note({"l2": 2.0}, {"l2": 3.0})
    assert [undo.undo() for _ in range(4)] == [{"l2": 2.0}, {MOMENT: "then"}, {"l2": 1.0}, None]
    assert [undo.redo() for _ in range(2)] == [{"l2": 2.0}, {MOMENT: ("restart", None)}]


def test_few_moments_are_kept():
    undo = Undo()
    for number in range(MOST_MOMENTS + 2):
        undo.note_moment(number, ("restart", None))
    found = iter(undo.undo, None)
    assert [entry[MOMENT] for entry in found] == list(range(MOST_MOMENTS + 1, 1, -1))


def test_the_session_before_is_a_click_away(studio, qtbot):
    neurons, step = studio.model.outline.lane.neurons, studio.last_frame.step
    example = replace(small_opening("fc2:0-2"), title="Example", note="Something to see.")
    open_in(studio, qtbot, example)
    assert studio.windowTitle() == "Example \N{EM DASH} LDAM Studio"
    buttons = studio.banner.findChildren(QPushButton)
    next(b for b in buttons if b.text() == "Back to Small").click()
    until(
        qtbot,
        lambda: studio.last_frame is not None and studio.last_frame.lanes[0].neurons == neurons,
    )
    assert studio.last_frame.step >= step
    assert studio.windowTitle() == "Small \N{EM DASH} LDAM Studio"


def test_what_the_discriminator_learned_comes_back_with_its_session(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening(discriminator=True))
    window.controller.set_value("learn_every", 1)
    until(qtbot, lambda: window.last_frame.lesson is not None)
    window.controller.set_value("learn_every", 0)
    open_in(window, qtbot, small_opening())
    assert window.last_frame.lesson is None
    open_in(window, qtbot, window.controller.way_back)
    assert window.last_frame.lesson.rounds > 0
    until(qtbot, learner(window)._revert.isEnabled)


def test_the_title_is_that_of_the_network_on_show(studio):
    studio.controller.set_network(open_network("lenet-averaged"))
    assert studio.windowTitle() == "lenet-averaged \N{EM DASH} LDAM Studio"


def test_ten_chains_one_and_undo_is_ten_again(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening("fc3:0-9"))
    ten = window.model.outline.lane.neurons
    window.controller.set_front(5)
    paused(window, qtbot)
    before = moment(window)
    for chains in (7, 3, 1):
        window.controller.set_value("chains", chains)
    # The one that stays is the one that was looked at, with its picture.
    assert window.model.outline.lane.neurons == (ten[5],)
    assert window.model.front == 0
    assert torch.equal(moment(window).lane.chains.x[0], before.lane.chains.x[5])
    for _ in range(3):
        window.controller.undo()
    assert window.model.front == 5
    after = moment(window)
    assert after.lane.neurons == ten
    assert torch.equal(after.lane.chains.x, before.lane.chains.x)
    assert torch.equal(after.lane.average.mean, before.lane.average.mean)


def test_a_drag_to_fewer_chains_is_one_change(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening("fc3:0-9"))
    window.controller.undo_stack.drag("chains", begins=True)
    for chains in range(9, 0, -1):
        window.controller.set_value("chains", chains)
    window.controller.undo_stack.drag("chains", begins=False)
    assert window.model.chains == 1
    window.controller.undo()
    assert window.model.chains == 10


def test_a_drag_to_fewer_chains_and_back_is_one_change(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening("fc3:0-9", l2=0.5))
    paused(window, qtbot)
    for counts in ((7, 3, 1, 4, 10), (12, 8), (3, 5, 4, 2, 6, 5), (12, 11, 12), (4, 6, 10)):
        window.controller.set_value("l2", 0.25)
        window.controller.set_front(5)
        is_dragged_as_one(window, counts)


def is_dragged_as_one(window, counts):
    before = moment(window)
    window.controller.undo_stack.drag("chains", begins=True)
    for chains in counts:
        window.controller.set_value("chains", chains)
    window.controller.undo_stack.drag("chains", begins=False)
    dragged = moment(window)
    assert len(dragged.lane.neurons) == counts[-1]
    for _ in range(2):
        window.controller.undo()
        after = moment(window)
        assert after.outline == before.outline
        assert torch.equal(after.lane.chains.x, before.lane.chains.x)
        window.controller.redo()
        assert moment(window).outline == dragged.outline
    window.controller.undo()
    window.controller.undo()
    assert window.model.value("l2") == 0.5


def test_opening_a_session_can_be_undone(studio, qtbot):
    studio.controller.set_value("l2", 0.25)
    paused(studio, qtbot)
    x = moment(studio).lane.chains.x
    open_in(studio, qtbot, small_opening("fc2:1"))
    assert "Opening Small" in studio.actions_by_name["undo"].text()
    studio.controller.pause()
    studio.actions_by_name["undo"].trigger()
    until(
        qtbot,
        lambda: studio.last_frame is not None and studio.model.outline.lane.settings.l2 == 0.25,
    )
    assert moment(studio).lane.neurons[0].layer == "fc3"
    assert moment(studio).lane.chains.x.shape == x.shape
    # Doing it again opens the other session where it was left, and that can be undone, too.
    assert "Opening Small" in studio.actions_by_name["redo"].text()
    assert not studio.actions_by_name["undo"].isEnabled()
    studio.actions_by_name["redo"].trigger()
    until(qtbot, lambda: studio.model.is_open and studio.model.acted.neurons[0].layer == "fc2")
    assert "Opening Small" in studio.actions_by_name["undo"].text()


def test_a_resumed_session_that_is_replaced_while_it_opens_is_a_click_away(
    make_window, qtbot, tmp_path
):
    store, may_open = SessionStore(tmp_path), Event()
    close_saved(open_in(make_window(store=store), qtbot, small_opening("fc2:0-3")), qtbot)
    window = make_window(store=store)
    resumed = window.recall().opening

    def make():
        assert may_open.wait(PATIENCE_MS / 1000)
        return resumed.make()

    window.open(replace(resumed, make=make))
    open_in(window, qtbot, small_opening("fc1:0"))
    may_open.set()
    (back,) = window.banner.findChildren(QPushButton)
    assert back.text() == "Back to Small"
    back.click()
    until(qtbot, lambda: window.model.is_open and window.model.acted.neurons[0].layer == "fc2")
    close_saved(window, qtbot)
    assert len(store.shelf.sessions()) == 2


def test_there_is_no_way_back_to_what_cannot_be_opened(make_window, qtbot, tmp_path):
    def fails():
        raise StudioError("That session is damaged.")

    window = make_window()
    broken = replace(small_opening(), make=fails, kept=tmp_path, fallback=small_opening("fc1:0"))
    window.open(broken)
    until(qtbot, lambda: window.model.is_open)
    assert window.controller.way_back is None


def test_undo_does_not_reach_into_the_session_before(studio, qtbot):
    studio.controller.set_value("l2", 0.25)
    open_in(studio, qtbot, small_opening("fc2:1", temperature=0.2))
    own = studio.model.value("l2")
    studio.controller.set_value("temperature", 0.4)
    stack = studio.controller.undo_stack.stack
    texts = [stack.text(at) for at in range(stack.count())]
    assert len(texts) == 2 and texts[0] == "Opening Small" and "Temperature" in texts[1]
    studio.controller.undo()
    assert studio.model.value("temperature") == 0.2 and studio.model.value("l2") == own
    assert studio.model.outline.lane.neurons[0].layer == "fc2"


@pytest.mark.parametrize("what", ["network", "melt", "compare"])
def test_what_else_can_be_undone(studio, qtbot, what):
    paused(studio, qtbot)
    before = moment(studio)
    averaged = open_network("lenet-averaged")
    if what == "network":
        studio.controller.set_network(averaged)
    elif what == "melt":
        studio.controller.melt()
    else:
        studio.controller.compare(averaged)
    assert moment(studio).log != before.log
    studio.controller.undo()
    after = moment(studio)
    assert after.outline == before.outline
    assert after.heat == 1
    assert torch.equal(after.lane.chains.x, before.lane.chains.x)


def test_what_cannot_be_opened_leaves_the_running_session(studio, qtbot):
    def fails():
        raise StudioError("That picture is damaged; choose another.")

    neurons = studio.model.outline.lane.neurons
    studio.open(replace(small_opening(), title="Broken", make=fails))
    until(qtbot, lambda: "damaged" in " ".join(studio.banner.texts()))
    until(qtbot, lambda: studio.last_frame is not None and studio.last_frame.step > 0)
    assert studio.last_frame.lanes[0].neurons == neurons
    assert studio.model.title == "Small"


def test_values_of_single_chains_come_back_with_their_chains(make_window, qtbot):
    weights = (0.0, 0.25, 0.5, 1.0)
    rows = small_opening("fc3:0-3", discriminator=True, discriminator_weight=weights, clamp=True)
    window = open_in(make_window(), qtbot, rows)
    before = window.model.outline
    window.controller.set_neurons((Neuron("fc3", 7), Neuron("fc3", 8)))
    assert window.model.chains == 2
    window.controller.undo()
    assert window.model.outline == before
    assert window.controller.ask(lambda state: state.outline).result(20) == before


def test_before_a_session_is_open_no_neuron_can_be_chosen(make_window):
    window = make_window()
    window.controller.set_neurons(Neuron("fc3", 1))
    assert not window.model.is_open


def test_redoing_a_drag_to_fewer_chains_keeps_the_same_ones(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening("fc3:0-9"))
    window.controller.set_front(9)
    window.controller.undo_stack.drag("chains", begins=True)
    for chains in (7, 5):
        window.controller.set_value("chains", chains)
    window.controller.undo_stack.drag("chains", begins=False)
    kept = window.model.outline.lane.neurons
    window.controller.undo()
    window.controller.redo()
    assert window.model.outline.lane.neurons == kept
