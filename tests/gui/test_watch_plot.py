"""The timeline by itself: where checkpoints lie, what is said of them, and how one is reached."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QHelpEvent, QMouseEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QToolTip

from ldam_studio.gui.session.read_from import name_of
from ldam_studio.gui.watch.plot import TimelinePlot
from ldam_studio.gui.watch.timeline import Timeline, words_of
from ldam_studio.networks.weights.checkpoints import Checkpoint


def checkpoint(name, **about):
    return Checkpoint(Path(f"/runs/{name}.pt"), (1, 1, 1), **about)


def steps(*values):
    return [checkpoint(f"c{v}", step=v, loss=1 / (1 + v), accuracy=0.5) for v in values]


# Values and words


def test_crowded_checkpoints_are_spread_by_log_step_or_evenly(plot):
    timeline = Timeline.of(steps(1, 10, 100, 1000), {})
    assert timeline.scaled("log").places == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert timeline.scaled("count").places == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert timeline.scaled("log").scaled("linear").places == pytest.approx(timeline.places)
    # From step 0 on, the first distance is that of a doubling.
    from_0 = Timeline.of(steps(0, 10, 30, 70), {})
    assert from_0.scaled("log").places == pytest.approx([0, 1 / 3, 2 / 3, 1])
    two_runs = Timeline.of(steps(5, 10, 5), {})
    assert two_runs.scaled("log").places == pytest.approx([0, 0.5, 1])
    plot.show_timeline(timeline)
    plot.show_current(2)
    before = plot.x_of(2)
    plot.show_scale("log")
    assert plot.x_of(2) > before + 100
    assert plot.current == 2
    click(plot, 1)
    assert plot.heard == [1]
    plot.show_timeline(Timeline.of(steps(1, 10, 100), {}))
    assert plot.timeline.places == pytest.approx([0, 0.5, 1])


def test_checkpoints_lie_by_step_else_by_epoch_else_side_by_side():
    places = Timeline.of(steps(0, 100, 1000), {}).places
    assert places == pytest.approx([0, 0.1, 1])
    epochs = [checkpoint(f"e{n}", epoch=n) for n in (1, 2, 5)]
    assert Timeline.of(epochs, {}).places == pytest.approx([0, 0.25, 1])
    two_runs = [*steps(0, 100), checkpoint("other", step=100)]
    assert Timeline.of(two_runs, {}).places == pytest.approx([0, 0.5, 1])
    assert Timeline.of(steps(7), {}).places == pytest.approx([1])
    assert len(Timeline()) == 0


def test_what_is_known_is_said_and_nothing_else():
    full = checkpoint("a", epoch=2.5, step=1400, loss=0.12345, accuracy=0.972)
    assert words_of(full) == "epoch 2.5 · step 1,400 · loss 0.1235 · accuracy 97.20 %"
    assert words_of(checkpoint("b", accuracy=97.2)) == "accuracy 97.20 %"
    assert words_of(checkpoint("best")) == "best.pt"
    assert [name_of(full), name_of(checkpoint("b", step=7)), name_of(checkpoint("best"))] == [
        "epoch 2.5",
        "step 7",
        "best",
    ]


# The widget


@pytest.fixture
def plot(qtbot):
    made = TimelinePlot()
    qtbot.addWidget(made)
    made.resize(420, made.sizeHint().height())
    made.show()
    made.heard = []
    made.wanted.connect(made.heard.append)
    return made


def click(plot, index, button=Qt.MouseButton.LeftButton):
    QTest.mouseClick(plot, button, pos=QPoint(round(plot.x_of(index)), plot.height() // 2))


def test_a_click_wants_the_nearest_checkpoint_and_a_drag_all_on_its_way(plot):
    plot.show_timeline(Timeline.of(steps(0, 10, 20, 30), {}))
    click(plot, 2)
    assert plot.heard == [2]
    plot.show_current(2)
    click(plot, 2)
    click(plot, 0, Qt.MouseButton.RightButton)
    assert plot.heard == [2]
    y = plot.height() // 2
    QTest.mousePress(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(plot.x_of(1)), y))
    plot.show_current(1)
    move = QPointF(plot.x_of(3) + 300, y)  # past its end
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    moved = QMouseEvent(QEvent.Type.MouseMove, move, move, left, left, none)
    QApplication.sendEvent(plot, moved)
    assert plot.heard == [2, 1, 3]


def test_keys_go_back_and_forth_and_to_the_newest(plot, qtbot):
    plot.show_timeline(Timeline.of(steps(*range(30)), {}))
    plot.show_current(15)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
        QTest.keyClick(plot, key)
    QTest.keyClick(plot, Qt.Key.Key_Home)
    assert plot.heard == [14, 16, 5, 25, 0]
    with qtbot.waitSignal(plot.newest):
        QTest.keyClick(plot, Qt.Key.Key_End)
    with qtbot.waitSignal(plot.toggled):
        QTest.keyClick(plot, Qt.Key.Key_Space)


def test_an_empty_timeline_says_what_it_waits_for_and_wants_nothing(plot):
    plot.set_empty("Waiting for the first checkpoint in /runs")
    QTest.mouseClick(plot, Qt.MouseButton.LeftButton)
    QTest.keyClick(plot, Qt.Key.Key_Left)
    assert plot.heard == []
    assert plot.words() == "Waiting for the first checkpoint in /runs"
    assert plot.words() in plot.accessibleDescription()


def test_the_current_checkpoint_is_told_also_to_who_does_not_see_it(plot):
    all_of_them = steps(0, 10)
    plot.show_timeline(Timeline.of(all_of_them, {all_of_them[1].path: "It has diverged."}))
    plot.show_current(0)
    assert "step 0 · loss 1 · accuracy 50.00 %, 1 of 1" in plot.accessibleDescription()
    before = plot.grab().toImage()
    plot.show_current(1, pinned=0)
    assert plot.words() == "It has diverged."
    assert plot.grab().toImage() != before


def test_the_mark_under_the_mouse_is_named(plot):
    all_of_them = steps(0, 10)
    plot.show_timeline(Timeline.of(all_of_them, {all_of_them[1].path: "It has diverged."}))
    at = QPoint(round(plot.x_of(1)), 5)
    QApplication.sendEvent(plot, QHelpEvent(QEvent.Type.ToolTip, at, plot.mapToGlobal(at)))
    assert QToolTip.text().split("\n")[1:] == ["c10.pt", "It has diverged."]
    QToolTip.hideText()


def test_thousands_of_checkpoints_are_drawn_as_many_as_there_are_pixels(plot):
    many = [checkpoint(f"c{n}", step=n, loss=2.0 + np.sin(n), accuracy=0.1) for n in range(2000)]
    many[5] = checkpoint("c5", step=5, loss=float("nan"))
    plot.show_timeline(Timeline.of(many, {}))
    plot.show_current(1999)
    marks = plot.grab().toImage()
    row = plot.height() - 6
    colours = [marks.pixelColor(x, row).name() for x in range(20, 300)]
    assert len(set(colours)) == 1  # a closed row of marks


def test_in_a_window_that_is_too_low_curves_are_left_out(plot, qtlog):
    plot.show_timeline(Timeline.of(steps(0, 10, 20), {}))
    plot.setMinimumSize(0, 0)
    for height in (5, 60):
        plot.resize(300, height)
        plot.grab()
        assert plot._drawn.isNull() is (height == 5)
    assert not qtlog.records
