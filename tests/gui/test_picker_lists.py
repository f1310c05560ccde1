"""Addresses, feeding neurons, stars and what was looked at last; columns that stand still."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLabel, QLineEdit, QListView, QTabBar, QToolButton, QTreeView

from gui import fakes
from ldam_studio.errors import StudioError
from ldam_studio.gui.picker.layer_list import LayerList
from ldam_studio.gui.picker.memory import NeuronMemory
from ldam_studio.gui.picker.neuron_lists import FED_BY, NEURONS, RECENT, STARRED
from ldam_studio.networks.neurons import Neuron


@pytest.fixture
def lenet(picker):
    """Give a picker that shows at once what is chosen in it, as in the window."""
    picker.set_network(fakes.lenet())
    picker.chosen.connect(lambda it: picker.set_neurons([it] if isinstance(it, Neuron) else it))
    return picker


def _enter(picker, text):
    field = picker.findChild(QLineEdit)
    field.setText(text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def test_what_the_session_begins_with_is_recent_too(picker):
    picker.set_network(fakes.lenet())
    picker.set_neurons([Neuron("conv2", 3)] * 4)
    picker.set_neurons([Neuron("fc3", i) for i in range(4)])
    picker.show_list(3)
    assert [row.split()[0] for row in _rows(picker, 3)] == ["conv2:3"]


def _rows(picker, number):
    model = picker.pages[number].model
    return [model.index(row).data() for row in range(model.rowCount())]


def _said(picker):
    return " ".join(label.text() for label in picker.findChildren(QLabel) if label.isVisible())


def _star(picker):
    QTest.mouseClick(
        next(b for b in picker.findChildren(QToolButton) if "star" in b.accessibleName().lower()),
        Qt.MouseButton.LeftButton,
    )


@pytest.mark.parametrize(
    "address", ["conv2:12", "conv2:12@3,4", "conv2:12@mean", "-fc3:4", "-conv1:0@mean"]
)
def test_an_address_is_shown_as_it_was_typed(lenet, address):
    _enter(lenet, address)
    assert lenet.heard == [Neuron.parse(address)]
    assert lenet.shown() == (Neuron.parse(address),)


def test_a_range_is_one_neuron_a_chain(lenet):
    _enter(lenet, "fc3:2-5")
    assert lenet.heard == [tuple(Neuron("fc3", i) for i in (2, 3, 4, 5))]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("conv2:99", "neurons 0 to 15, not 99"),
        ("conv2:1@77,0", "is not among them"),
        ("nowhere:1", "has no layer 'nowhere'"),
    ],
)
def test_an_address_that_is_not_there_is_one_sentence(lenet, address, sentence):
    _enter(lenet, address)
    assert sentence in _said(lenet)
    assert lenet.heard == []


def test_an_address_half_typed_is_no_error(lenet):
    for length in range(1, len("-conv2:12@3,4") + 1):
        lenet.findChild(QLineEdit).setText("-conv2:12@3,4"[:length])
        assert "Nothing here" not in _said(lenet) or length == 1


def test_what_feeds_a_neuron_is_listed_and_a_click_goes_there(lenet):
    lenet.set_neurons([Neuron("fc3", 4)])
    lenet.show_list(FED_BY)
    rows = _rows(lenet, FED_BY)
    assert len(rows) == 20
    assert all(row.startswith("fc2:") for row in rows)
    assert "20 largest of 84 weights" in _said(lenet)
    model = lenet.pages[FED_BY].model
    spoken = model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "feeds most" in spoken
    assert ("+" in spoken) or ("\u2212" in spoken)
    view = lenet.pages[FED_BY].list
    where = view.visualRect(view.model().index(1)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert [str(neuron) for neuron in lenet.heard] == [rows[1]]
    # And so on, to what feeds that one.
    assert all(row.startswith("fc1:") for row in _rows(lenet, FED_BY))


def test_where_nothing_can_be_told_of_feeding_it_says_why(lenet):
    lenet.show_list(FED_BY)
    lenet.set_neurons([Neuron("conv2", 3)])
    assert "is not a weighted sum" in _said(lenet)


def test_arrow_keys_in_these_lists_choose_only_with_enter(lenet):
    lenet.set_neurons([Neuron("fc3", 4)])
    lenet.show_list(FED_BY)
    view = lenet.pages[FED_BY].list
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert lenet.heard == []
    second = _rows(lenet, FED_BY)[view.currentIndex().row()]
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert [str(neuron) for neuron in lenet.heard] == [second]


def test_what_was_looked_at_last_comes_first_and_once(lenet):
    for address in ("fc3:1", "conv2:3@2,2", "fc3:1", "-fc1:7"):
        _enter(lenet, address)
    lenet.show_list(RECENT)
    assert _rows(lenet, RECENT) == ["-fc1:7", "1", "conv2:3@2,2"]


def test_stars_come_and_go(lenet):
    lenet.show_list(STARRED)
    assert "star" in _said(lenet)
    for address in ("fc3:1", "conv2:3@2,2"):
        _enter(lenet, address)
        _star(lenet)
    lenet.show_list(STARRED)
    assert _rows(lenet, STARRED) == ["1", "conv2:3@2,2"]
    lenet.star_neuron()
    assert _rows(lenet, STARRED) == ["1"]


def test_of_several_neurons_the_one_in_front_is_starred_and_told_about(lenet):
    lenet.set_neurons([Neuron("fc3", i) for i in range(10)], 3)
    assert _here(lenet) == "class 3"
    lenet.set_front(7)
    assert _here(lenet) == "class 7"
    _star(lenet)
    lenet.show_list(STARRED)
    assert _rows(lenet, STARRED) == ["7"]
    lenet.set_front(2)
    lenet.show_list(FED_BY)
    assert _said(lenet).endswith("weights into 2")
    lenet.show_list(STARRED)
    _star(lenet)
    assert _rows(lenet, STARRED) == ["7", "2"]
    assert lenet.heard == []


def _here(picker):
    """Return the neuron that is selected in the list of the layer."""
    return picker.findChild(LayerList).currentIndex().data()


def test_searching_and_browsing_come_back_to_the_layers_neurons(lenet):
    lenet.show_list(RECENT)
    lenet.findChild(QLineEdit).setText("conv")
    assert lenet.findChild(QTabBar).currentIndex() == NEURONS


def test_memory_lasts_for_each_network_by_itself(tmp_path, picker):
    path = tmp_path / "deep" / "neurons.json"
    picker.remember(path)
    picker.set_network(fakes.lenet())
    picker.choose(Neuron("fc3", 4))
    picker.set_neurons([Neuron("fc3", 4)])
    picker.star_neuron()
    picker.memory.save()
    again, other = NeuronMemory(path), fakes.nested()
    assert again.starred(fakes.lenet()) == again.recent(fakes.lenet()) == (Neuron("fc3", 4),)
    assert again.starred(other) == ()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version": 1, "networks": 3}', b"\xff"])
def test_damaged_memory_counts_as_none(tmp_path, content):
    path = tmp_path / "neurons.json"
    path.write_bytes(content)
    assert NeuronMemory(path).recent(fakes.lenet()) == ()


def test_memory_forgets_neurons_that_the_network_no_longer_has(tmp_path):
    memory, network = NeuronMemory(), fakes.lenet()
    memory.note(network, Neuron("gone", 3))
    memory.note(network, Neuron("fc3", 3))
    assert memory.recent(network) == (Neuron("fc3", 3),)


def test_memory_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    memory = NeuronMemory(tmp_path / "file" / "neurons.json")
    memory.note(fakes.lenet(), Neuron("fc3", 3))
    with pytest.raises(StudioError):
        memory.save()


def _columns(picker):
    tree = picker.findChild(QTreeView)
    return [tree.columnWidth(i) for i in range(4) if not tree.isColumnHidden(i)][1:]


@pytest.mark.parametrize("width", [200, 280, 420])
def test_columns_stand_still_while_one_searches_and_unfolds(picker, width):
    picker.resize(width, 600)
    picker.set_network(fakes.nested())
    before = _columns(picker)
    for text in ("conv", "flamingo", "nothing like it", "features", ""):
        picker.findChild(QLineEdit).setText(text)
        assert _columns(picker) == before
    picker.findChild(QTreeView).collapseAll()
    assert _columns(picker) == before
    assert len(before) == {200: 1, 280: 2, 420: 3}[width]


def test_all_lists_can_be_reached_and_have_names(lenet):
    for widget in (lenet.findChild(QTabBar), *lenet.findChildren(QListView)):
        assert widget.accessibleName()
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_the_neuron_in_front_stays_in_sight_when_the_list_gets_lower(qtbot):
    listed = LayerList()
    qtbot.addWidget(listed)
    listed.fill([f"unit {at}" for at in range(120)], np.arange(120), ())
    listed.resize(200, 400)
    listed.show()
    listed.point_at(60)
    listed.resize(200, 90)
    assert listed.viewport().rect().contains(listed.visualRect(listed.currentIndex()))
    # What the user scrolled away from stays away.
    listed.scrollToTop()
    listed.resize(200, 120)
    assert listed.verticalScrollBar().value() == 0
