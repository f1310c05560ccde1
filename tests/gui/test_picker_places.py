"""Choosing a channel's mean over all places with mouse and keyboard."""

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLineEdit, QToolButton, QTreeView

from gui import fakes
from gui.windows import picker_of, until
from ldam_studio.gui.picker.layer_list import LayerList
from ldam_studio.gui.picker.place_choice import MEAN_TEXT
from ldam_studio.gui.session import undo
from ldam_studio.networks.neurons import Neuron


@pytest.fixture
def lenet(picker):
    """Give a picker that shows at once what is chosen in it, as in the window."""
    picker.set_network(fakes.lenet())
    picker.chosen.connect(lambda it: picker.set_neurons([it] * 3 if isinstance(it, Neuron) else it))
    picker.set_neurons([Neuron("conv2", 3)] * 3)
    return picker


def choose(picker, row):
    """Choose a row of the list of places as a user does who has opened it."""
    picker.place.setCurrentIndex(row)
    picker.place.activated.emit(row)


def enter(picker, text):
    field = picker.findChild(QLineEdit)
    field.setText(text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def test_it_is_offered_only_where_a_channel_has_a_map(lenet):
    assert lenet.place.isVisible() and lenet.place.currentIndex() == 0
    lenet.set_neurons([Neuron("fc3", 1)] * 3)
    assert not lenet.place.isVisible() and lenet.place.value is None


def test_the_mean_is_that_of_the_neuron_shown_and_of_those_picked_next(lenet):
    choose(lenet, 1)
    lenet.next_neuron()
    view = lenet.findChild(LayerList)
    QTest.mouseClick(
        view.viewport(),
        Qt.MouseButton.LeftButton,
        pos=view.visualRect(view.model().index(6)).center(),
    )
    assert [str(n) for n in lenet.heard] == ["conv2:3@mean", "conv2:4@mean", "conv2:6@mean"]
    choose(lenet, 0)
    assert str(lenet.heard[-1]) == "conv2:6"


def test_it_stays_chosen_from_layer_to_layer(lenet):
    choose(lenet, 1)
    lenet.set_neurons([Neuron("fc3", 1)] * 3)
    tree = lenet.findChild(QTreeView)
    tree.setFocus()
    QTest.keyClick(tree, Qt.Key.Key_Home)
    assert lenet.place.isVisible() and lenet.place.currentText() == MEAN_TEXT
    lenet.next_neuron()
    assert str(lenet.heard[-1]) == "conv1:0@mean"


def test_several_neurons_change_together_and_keep_their_signs(lenet):
    lenet.set_neurons([Neuron("conv2", 1), Neuron("conv2", 5, sign=-1), Neuron("conv2", 1)])
    choose(lenet, 1)
    assert [str(n) for n in lenet.heard[-1]] == ["conv2:1@mean", "-conv2:5@mean", "conv2:1@mean"]


def test_all_spreads_the_means(lenet):
    choose(lenet, 1)
    every = next(b for b in lenet.findChildren(QToolButton) if b.text() == "All")
    QTest.mouseClick(every, Qt.MouseButton.LeftButton)
    layer, place = lenet.heard[-1]
    assert (layer.name, place) == ("conv2", "mean")


def test_a_typed_place_is_shown_until_another_layer_is_listed(lenet):
    enter(lenet, "conv2:12@3,4")
    assert lenet.place.currentText() == "Unit at 3, 4"
    lenet.next_neuron()
    assert str(lenet.heard[-1]) == "conv2:13@3,4"
    lenet.set_neurons([Neuron("conv1", 0)] * 3)
    assert lenet.place.count() == 2 and lenet.place.currentIndex() == 0
    enter(lenet, "conv2:12@mean")
    assert lenet.place.currentText() == MEAN_TEXT and lenet.place.count() == 2


def test_the_keyboard_reaches_it(lenet):
    lenet.place.setFocus(Qt.FocusReason.TabFocusReason)
    assert lenet.place.hasFocus()
    QTest.keyClick(lenet.place, Qt.Key.Key_Down)
    assert str(lenet.heard[-1]) == "conv2:3@mean"


def test_the_menu_switches_it_and_undo_takes_it_back(studio, qtbot, monkeypatch):
    monkeypatch.setattr(undo, "PAUSE", 0.0)  # quick choices are undone together
    action = studio.actions_by_name["mean_over_places"]
    assert not action.isEnabled()
    studio.controller.set_neurons(Neuron("conv2", 3))
    until(qtbot, action.isEnabled)
    action.trigger()
    assert {str(n) for n in studio.model.outline.lane.neurons} == {"conv2:3@mean"}
    assert action.isChecked() and picker_of(studio).place.currentText() == MEAN_TEXT
    studio.controller.undo()
    until(qtbot, lambda: {str(n) for n in studio.model.outline.lane.neurons} == {"conv2:3"})
    assert not action.isChecked() and picker_of(studio).place.currentIndex() == 0
