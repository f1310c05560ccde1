"""What is done while another session opens never reaches that session by undoing."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from gui.windows import open_in, small_opening, until
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import Heated
from ldam_studio.engine.state import snapshot
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from thinned import one_in

DONE = {
    "a neuron": lambda c: c.set_neurons(Neuron("fc3", 7)),
    "a layer": lambda c: c.spread(c.model.outline.lane.network.layer("fc2")),
    "a slider": lambda c: c.set_value("l2", 0.77),
    "chains": lambda c: c.set_value("chains", 1),
    "more chains": lambda c: c.set_value("chains", 9),
    "a restart": lambda c: c.restart(),
    "a melt": lambda c: c.melt(),
    "a network": lambda c: c.set_network(open_network("lenet-averaged")),
    "no discriminator": lambda c: c.set_discriminator(None),
    "a change": lambda c: c.make(Change("seed", 99), "New Seed"),
    "a comparison": lambda c: c.compare(open_network("lenet-averaged")),
    "undo": lambda c: c.undo_stack.drag("l2", begins=True),
}


@pytest.mark.parametrize("what", one_in(2, DONE))
def test_undo_stays_within_its_session(studio, qtbot, what):
    controller = studio.controller
    goes_on = threading.Event()
    other = small_opening("fc2:0-2")

    def slow():
        goes_on.wait(20)
        return other.make()

    studio.open(replace(other, title="Other", make=slow))
    DONE[what](controller)
    goes_on.set()
    until(qtbot, lambda: controller.runner is not None and studio.last_frame is not None)
    before = controller.ask(snapshot).result(20)
    stack = controller.undo_stack.stack
    assert stack.count() == 1 and stack.undoText().startswith("Opening Other")
    assert not before.log
    assert (before.seed, len(before.lanes), len(before.lane.neurons)) == (3, 1, 3)
    assert before.lane.settings.l2 != 0.77


def test_a_value_set_after_it_opened_is_taken_back_to_its_own(studio, qtbot):
    studio.controller.set_value("l2", 0.77)
    open_in(studio, qtbot, small_opening("fc2:0-2"))
    own = studio.model.outline.lane.settings.l2
    studio.controller.set_value("l2", 0.33)
    studio.controller.undo()
    assert studio.model.outline.lane.settings.l2 == own != 0.77


def test_undoing_other_neurons_holds_and_heats_chains_again(studio, qtbot):
    open_in(studio, qtbot, small_opening("fc2:0-2"))
    controller, model = studio.controller, studio.model
    controller.make(Change("hold", (1,)), "Hold")
    controller.make(Change("heat_some", Heated((2,), 100.0)), "Melt")
    controller.set_value("chains", 5)
    begun = model.outline
    controller.set_neurons(begun.lane.neurons)  # the same ones
    assert model.outline == begun
    controller.set_neurons(Neuron("fc3", 7))
    assert (model.outline.held, model.outline.heats) == ((), ())
    changed = model.outline
    controller.undo()
    assert model.outline == begun
    assert begun.held == (1,) and begun.heats[:3] == (1, 1, 100)
    controller.redo()
    assert model.outline == changed
    controller.undo()
    controller.undo()
    assert (model.outline.chains, model.outline.held, model.outline.heats) == (3, (1,), (1, 1, 100))
