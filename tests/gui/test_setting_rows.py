"""One row of the settings by itself: typing, taking back, and what it says."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLineEdit, QMainWindow, QVBoxLayout, QWidget

from ldam_studio.gui.per_lane import PerLane
from ldam_studio.gui.settings.number_row import NumberRow
from ldam_studio.sampler.settings import SETTINGS

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def row(qtbot):
    """Give a row in a window with undo and redo, and another field; it shows what is chosen."""
    window, body = QMainWindow(), QWidget()
    qtbot.addWidget(window)
    made = NumberRow(SETTINGS["step_size"])
    made.other, made.heard = QLineEdit(), []
    for name, key in (("undo", "Ctrl+Z"), ("redo", "Ctrl+Shift+Z")):
        act = QAction(name, window)
        act.setShortcut(QKeySequence(key))
        act.triggered.connect(lambda _on, name=name: made.heard.append(name))
        window.addAction(act)
    made.chosen.connect(lambda _name, value: made.heard.append(value))
    made.chosen.connect(lambda _name, value: made.show_value(value))
    column = QVBoxLayout(body)
    column.addWidget(made)
    column.addWidget(made.other)
    window.setCentralWidget(body)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    yield made


def write(row, text):
    row.field.setFocus()
    row.field.selectAll()
    QTest.keyClicks(row.field, text)


def enter(row, text):
    write(row, text)
    QTest.keyClick(row.field, Qt.Key.Key_Return)


def test_undo_right_after_typing_a_value_reaches_the_window(row):
    enter(row, "0.25")
    QTest.keyClick(row.field, Qt.Key.Key_Z, CTRL)
    QTest.keyClick(row.field, Qt.Key.Key_Z, CTRL | SHIFT)
    assert row.heard == [0.25, "undo", "redo"]
    assert row.field.text() == "0.25"


def test_undo_while_typing_is_the_fields_own(row):
    write(row, "0.25")
    QTest.keyClick(row.field, Qt.Key.Key_Z, CTRL)
    assert row.heard == []
    assert row.field.text() != "0.25"


def test_a_refused_value_stays_until_the_field_is_left(row):
    enter(row, "-3")
    assert (row.field.text(), row.field.property("invalid")) == ("-3", True)
    assert "must lie between" in row.note.text()
    row.other.setFocus()
    assert (row.field.text(), row.field.property("invalid")) == ("0.1", False)
    assert row.note.isHidden()
    assert row.heard == []


def test_a_value_that_leaving_refuses_is_told(row):
    write(row, "-3")
    row.other.setFocus()
    assert (row.field.text(), row.field.property("invalid")) == ("0.1", False)
    assert "must lie between" in row.note.text()
    row.field.setFocus()
    row.other.setFocus()
    assert row.note.isHidden()


@pytest.mark.parametrize(("text", "value"), [("0,02", 0.02), ("0,020", 0.02), (",5", 0.5)])
def test_a_decimal_comma_is_one(row, text, value):
    enter(row, text)
    assert row.heard == [value]


@pytest.mark.parametrize("text", ["1,000", "1,0,0", "0,1.5"])
def test_a_comma_that_may_mean_thousands_is_refused(row, text):
    enter(row, text)
    assert row.heard == []
    assert f"not '{text}'" in row.note.text()


def test_the_tool_tip_says_where_a_double_click_goes(row):
    row.home = 0.3
    row.show_value(0.7)
    assert "Default: 0.1." in row.toolTip()
    assert "a double click restores 0.3, the value at the start of this session" in row.toolTip()
    QTest.mouseDClick(row.slider, Qt.MouseButton.LeftButton)
    assert row.heard[-1] == 0.3
    row.home = (0.1, 0.2)
    assert "each chain's own value" in row.toolTip()


def test_the_wheel_turns_the_values_of_all_lanes_by_the_same_factor(row):
    row.show_value(PerLane((0.1, 0.2, 0.4)))
    assert row.field.text() == "mixed"
    row.slider.turned.emit(1.0)
    turned = row.heard[-1]
    assert isinstance(turned, PerLane)
    assert [value / turned[0] for value in turned] == pytest.approx([1, 2, 4])
    assert turned[0] > 0.1
