import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, QRect, Qt
from PyQt6.QtTest import QTest

from gui.windows import altered, open_in, paused, small_opening, until
from ldam_studio.gui.canvas.paint import paint_title
from thinned import one_in

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("factor", one_in(2, ["1.25", "2"]))
def test_every_image_pixel_is_a_square_of_whole_device_pixels(factor):
    found = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("crisp.py"))],
        env=os.environ
        | {
            "QT_SCALE_FACTOR": factor,
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert f"ratio {float(factor)}" in found.stdout, found.stderr
    assert found.returncode == 0, found.stdout


def test_both_views_share_zoom_and_place(studio, qtbot):
    canvas = studio.canvas
    raw, average = canvas.image_rects()
    assert raw.size() == average.size()
    at = QPointF(raw.center())
    canvas.zoom_by(2, at)
    zoomed_raw, zoomed_average = canvas.image_rects()
    assert zoomed_raw.width() > raw.width()
    assert zoomed_raw.width() % 28 == 0
    assert zoomed_raw.size() == zoomed_average.size()
    shift = zoomed_average.left() - zoomed_raw.left()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(150, 150))
    event_to = QPoint(170, 140)
    QTest.mouseMove(canvas, event_to)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=event_to)
    moved_raw, moved_average = canvas.image_rects()
    assert moved_average.left() - moved_raw.left() == shift
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_F)
    assert canvas.image_rects() == (raw, average)


def test_the_first_zoom_leaves_the_point_under_the_pointer(studio):
    canvas = studio.canvas
    _, average = canvas.image_rects()
    at = QPointF(average.left() + average.width() * 0.3, average.top() + average.height() * 0.6)
    canvas.zoom_by(1, at)
    _, after = canvas.image_rects()
    assert (at.x() - after.left()) / after.width() == pytest.approx(0.3, abs=0.01)
    assert (at.y() - after.top()) / after.height() == pytest.approx(0.6, abs=0.01)


def test_the_readout_names_the_pixel_under_the_pointer(studio, qtbot):
    paused(studio, qtbot)
    canvas, frame = studio.canvas, studio.last_frame
    raw, _ = canvas.image_rects()
    cell = raw.width() // 28
    spot = QPoint(raw.left() + 5 * cell + cell // 2, raw.top() + 9 * cell + cell // 2)
    QTest.mouseMove(canvas, spot)
    frame = studio.last_frame.lanes[0]
    expected = f"x 5   y 9   raw {frame.raw[0, 9, 5]:.3f}   average {frame.average[0, 9, 5]:.3f}"
    assert canvas.readout() == expected
    QTest.mouseMove(canvas, QPoint(1, 1))
    assert canvas.readout() == ""


def test_z_fills_the_view_with_what_the_front_neuron_sees(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening("conv1:0-2"))
    canvas = window.canvas
    whole = canvas.image_rects()
    field = window.last_frame.lanes[0].field
    QTest.keyClick(canvas, Qt.Key.Key_Z)
    raw, average = canvas.image_rects()
    assert canvas.view.part == field
    assert raw.size() == average.size() and raw.width() >= 4 * whole[0].width()
    # The middle of the field lies in the middle of the pane, and is what is read there.
    pane = canvas._panes.layout.panes[0]
    middle = (field[1] + field[3]) // 2, (field[0] + field[2]) // 2
    QTest.mouseMove(canvas, pane.center())
    assert canvas.readout().startswith(f"x {middle[0]}   y {middle[1]} ")
    # The view goes with the front neuron, and back where that sees it all.
    window.controller.spread(window.model.outline.lane.network.layer("conv2"))
    until(qtbot, lambda: window.last_frame.lanes[0].neurons[0].layer == "conv2")
    assert canvas.view.part == window.last_frame.lanes[0].field != field
    window.controller.spread(window.model.outline.lane.network.layer("fc3"))
    until(qtbot, lambda: window.last_frame.lanes[0].neurons[0].layer == "fc3")
    # A notice above may have moved them.
    assert [rect.size() for rect in canvas.image_rects()] == [rect.size() for rect in whole]
    QTest.keyClick(canvas, Qt.Key.Key_Z)
    assert canvas.view.part is None
    assert "sees the whole image" in window.banner.texts()[-1]


def test_z_again_shows_the_whole_image_and_a_drag_ends_following(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening("conv1:0-2"))
    canvas = window.canvas
    whole = canvas.image_rects()
    QTest.keyClick(canvas, Qt.Key.Key_Z)
    QTest.keyClick(canvas, Qt.Key.Key_Z)
    assert canvas.image_rects() == whole
    QTest.keyClick(canvas, Qt.Key.Key_Z)
    canvas.zoom_by(-1)
    assert canvas.view.part is None
    assert canvas.image_rects()[0].width() < 28 * 90


def test_an_average_without_samples_says_so(studio, qtbot):
    paused(studio, qtbot)
    frame = studio.last_frame
    empty = altered(frame, average=None, samples=np.zeros(3, np.int64))
    studio.views.show_frame(empty)
    assert studio.canvas._shown.images[1] is None
    assert not studio.canvas.grab().isNull()


def test_badges_follow_the_chain(studio, qtbot):
    paused(studio, qtbot)
    frame = studio.last_frame

    def texts():
        return tuple(b.text for side in studio.canvas._badges for b in side)

    assert "paused" in texts()
    no, yes = np.zeros(3, bool), np.ones(3, bool)
    studio.views.show_frame(replace(altered(frame, burned_in=no, settling=no), melting=True))
    assert texts() == ("melting", "paused", "burning in")
    studio.views.show_frame(altered(frame, burned_in=yes, settling=yes))
    assert texts() == ("paused", "settling")
    studio.views.show_frame(altered(frame, burned_in=yes, settling=no))
    assert texts() == ("paused",)


class _Letters:
    """A pencil whose letters are all ten pixels wide; notes what it writes."""

    ratio = 1.0

    def __init__(self) -> None:
        self.written: list[str] = []
        self.badges: list[str] = []

    def font(self, **_kind):
        return None

    def width(self, text, _font=None):
        return 10 * len(text)

    def badge_width(self, _badge):
        return 50

    def badge(self, room, badge):
        self.badges.append(badge)
        return room.right() - 50

    def text(self, _room, text, _token, **_kind):
        self.written.append(text)
        return self.width(text)


@pytest.mark.parametrize(
    ("width", "badges", "title"),
    [(300, (), "Running average"), (155, (), "Running average"), (155, ("settling",), "Average")],
)
def test_a_narrow_pane_has_a_shorter_title_instead_of_half_of_one(width, badges, title):
    pencil = _Letters()
    paint_title(pencil, QRect(0, 0, width, 20), ("Running average", "Average"), badges, "")
    assert pencil.written[0] == title and tuple(pencil.badges) == badges


def test_badges_for_which_there_is_no_room_are_left_out_the_first_ones_first():
    pencil = _Letters()
    paint_title(pencil, QRect(0, 0, 180, 20), ("Average",), ("over 2 chains", "settling"), "")
    assert pencil.badges == ["settling"] and pencil.written[0] == "Average"
