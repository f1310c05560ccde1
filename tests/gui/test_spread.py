"""All neurons of a layer at once."""

from __future__ import annotations

from PyQt6.QtWidgets import QToolButton

from gui.windows import compare_with_itself, open_in, picker_of, small_opening, until
from ldam_studio.gui.picker.layer_list import LayerList
from ldam_studio.networks.neurons import Neuron


def _spread(window, name):
    window.controller.spread(window.model.outline.lane.network.layer(name))


def test_all_shows_every_neuron_of_a_layer_in_a_chain_of_its_own(studio, qtbot):
    for name, count in (("conv2", 16), ("conv1", 6), ("fc3", 10)):
        _spread(studio, name)
        assert studio.model.outline.lane.neurons == tuple(Neuron(name, i) for i in range(count))
    until(qtbot, lambda: len(studio.last_frame.lanes[0].neurons) == 10)
    studio.controller.undo()
    studio.controller.undo()
    studio.controller.undo()
    assert [str(n) for n in studio.model.outline.lane.neurons] == ["fc3:0", "fc3:1", "fc3:2"]


def test_all_of_a_large_layer_can_be_scrolled(studio, qtbot):
    _spread(studio, "fc1")
    strip = studio.panels.strip
    until(qtbot, lambda: len(studio.last_frame.lanes[0].neurons) == 64)
    studio.controller.set_front(63)
    bar = strip.verticalScrollBar()
    assert bar.maximum() > 0
    assert bar.value() > 0
    shown = strip.viewport().rect().translated(-strip.strip.pos())
    assert shown.contains(strip.strip.front_rect())


def test_the_selected_neuron_follows_the_chain_in_front(studio, qtbot):
    _spread(studio, "conv2")
    listed, picker = studio.findChild(LayerList), picker_of(studio)
    studio.controller.set_front(11)
    assert listed.currentIndex().data() == "channel 11"
    studio.strip.chosen.emit(4)
    assert listed.currentIndex().data() == "channel 4"
    star = next(b for b in picker.findChildren(QToolButton) if "Star" in b.accessibleName())
    assert star.isEnabled()
    star.click()
    network = studio.model.outline.lane.network
    assert picker.memory.starred(network) == (Neuron("conv2", 4),)


def test_a_table_and_one_of_two_networks_keep_their_number_of_chains(make_window, qtbot):
    table = open_in(make_window(), qtbot, small_opening("fc3:0-3", rows=("one", "two")))
    _spread(table, "conv2")
    assert table.model.chains == 4
    window = open_in(make_window(), qtbot, small_opening())
    compare_with_itself(window, qtbot)
    window.controller.act_on(1)
    _spread(window, "conv1")
    assert window.model.chains == 3
    window.controller.act_on(None)
    _spread(window, "conv1")
    assert window.model.chains == 6
