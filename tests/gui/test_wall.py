"""The wall of chains, as a person uses it."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QContextMenuEvent, QImage
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMenu, QToolButton

from gui.windows import compare_with_itself, open_in, paused, small_opening, turn, until
from ldam_studio.gui.wall.choosing import Wall
from ldam_studio.gui.wall.feature import ChainWall

KEY, LEFT = Qt.Key, Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def window(make_window, qtbot):
    """Give a window with 20 chains of ten classes, whose wall is up."""
    made = open_in(make_window(), qtbot, small_opening("fc3:0-9", temperature=0.1))
    made.controller.set_value("chains", 20)
    until(qtbot, lambda: len(made.last_frame.lanes[0].neurons) == 20)
    QTest.keyClick(made.canvas, KEY.Key_G)
    wall = made.feature(ChainWall).wall
    until(qtbot, lambda: wall.isVisible() and bool(wall._lanes))
    return made


def wall_of(window):
    return window.feature(ChainWall).wall


def point(wall, chain, section=0):
    """Return the middle of a chain in the viewport."""
    left, top = wall._offset
    centre = wall.layout_now.thumb_of(chain, section).center()
    return QPoint(centre.x() - left, centre.y() - top)


def press(window, chain, keys=NONE):
    wall = wall_of(window)
    QTest.mouseClick(wall.viewport(), LEFT, keys, point(wall, chain))


def chosen(window):
    return sorted(wall_of(window).chosen)


def button(window, text):
    bar = window.feature(ChainWall).bar
    return next(b for b in bar.findChildren(QToolButton) if b.text() == text)


def settled(window, qtbot):
    """Wait until a frame has all changes."""
    until(qtbot, lambda: window.last_frame.outline == window.model.outline)


def test_the_wall_takes_the_place_of_images_and_strip(window, qtbot):
    wall, heights = wall_of(window), window.panels.heights()
    assert wall.hasFocus() and not window.strip.isVisible()
    assert wall.width() == window.canvas.width()
    assert [len(column) for column in wall._columns] == [2] * 10
    assert wall._labels == tuple("0123456789")
    assert window.banner.parent() is window.canvas
    QTest.keyClick(wall, KEY.Key_G)
    assert not wall.isVisible() and window.strip.isVisible() and window.canvas.hasFocus()
    assert window.panels.heights() == pytest.approx(heights, abs=1)


def test_it_paints_the_thumbnails_of_the_frame(window, qtbot):
    wall = wall_of(window)
    wall.zoom_to(56 / wall.layout_now.thumb[0])
    paused(window, qtbot)
    picture = wall.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    shown, ratio = window.last_frame.lanes[0].thumbnails, wall.devicePixelRatioF()
    assert wall.layout_now.thumb == (56, 56)
    factor = 2
    for chain in (3, 17):
        corner = wall.layout_now.thumb_of(chain).topLeft() - QPoint(*wall._offset)
        found = [
            picture.pixelColor(corner + QPoint(factor * x + 1, factor * y + 1)).red()
            for y in range(4, 20, 3)
            for x in range(4, 20, 3)
        ]
        assert found == shown[chain, 4:20:3, 4:20:3, 0].ravel().tolist() and ratio == 1


def test_a_click_brings_to_the_front_and_a_double_click_leaves(window, qtbot):
    press(window, 13)
    assert window.model.front == 13 and chosen(window) == []
    wall = wall_of(window)
    QTest.mouseDClick(wall.viewport(), LEFT, NONE, point(wall, 4))
    assert window.model.front == 4 and not wall.isVisible()


def test_several_are_chosen_with_the_mouse(window, qtbot):
    wall = wall_of(window)
    press(window, 2)
    press(window, 14, SHIFT)
    assert chosen(window) == [2, 3, 4, 12, 13, 14]
    press(window, 3, CTRL)
    press(window, 9, CTRL)
    assert chosen(window) == [2, 4, 9, 12, 13, 14]
    start, end = point(wall, 5), point(wall, 17)
    QTest.mousePress(wall.viewport(), LEFT, NONE, start - QPoint(3, 3))
    QTest.mouseMove(wall.viewport(), (start + end) / 2)
    QTest.mouseMove(wall.viewport(), end)
    QTest.mouseRelease(wall.viewport(), LEFT, NONE, end)
    assert chosen(window) == [5, 6, 7, 15, 16, 17]
    assert window.feature(ChainWall).bar.count.text() == "6 chains chosen"
    QTest.mouseClick(wall.viewport(), LEFT, NONE, QPoint(1, 1))
    assert chosen(window) == []
    assert window.feature(ChainWall).bar.count.text() == "20 chains"


def test_the_keyboard_moves_chooses_and_leaves(window, qtbot):
    wall = wall_of(window)
    for key in (KEY.Key_Right, KEY.Key_Right, KEY.Key_Down):
        QTest.keyClick(wall, key)
    assert window.model.front == 12
    QTest.keyClick(wall, KEY.Key_Right, SHIFT)
    QTest.keyClick(wall, KEY.Key_Up, SHIFT)
    assert chosen(window) == [2, 3, 12, 13] and window.model.front == 3
    QTest.keyClick(wall, KEY.Key_Space, CTRL)
    assert chosen(window) == [2, 12, 13]
    assert "3 chosen" in wall.accessibleDescription()
    assert "chain 4 of 20" in wall.accessibleDescription()
    QTest.keyClick(wall, KEY.Key_A, CTRL)
    assert len(chosen(window)) == 20
    QTest.keyClick(wall, KEY.Key_Escape)
    assert chosen(window) == [] and wall.isVisible()
    QTest.keyClick(wall, KEY.Key_End)
    assert window.model.front == 19
    QTest.keyClick(wall, KEY.Key_Escape)
    assert not wall.isVisible()


def test_only_the_chosen_chains_are_held_and_released(window, qtbot):
    wall = wall_of(window)
    wall.choose((1, 5))
    button(window, "Hold").click()
    assert window.model.outline.held == (1, 5)
    settled(window, qtbot)
    paused(window, qtbot)
    before = window.last_frame.lanes[0].thumbnails
    window.controller.step()
    until(qtbot, lambda: not np.array_equal(window.last_frame.lanes[0].thumbnails, before))
    after = window.last_frame.lanes[0].thumbnails
    same = [np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert [chain for chain, kept in enumerate(same) if kept] == [1, 5]
    assert wall.states[0] == {1, 5} and "held" in wall.state_words(5)
    window.controller.set_front(5)
    until(qtbot, lambda: "held" in [badge.text for badge in window.canvas._badges[0]])
    QTest.keyClick(wall, KEY.Key_H)
    assert window.model.outline.held == ()
    assert button(window, "Hold").isVisible()
    window.controller.undo()
    assert window.model.outline.held == (1, 5)
    bar = window.feature(ChainWall).bar
    until(qtbot, lambda: bar.buttons["hold"].text() == "Release")


def test_only_the_chosen_chains_are_melted_restarted_and_kept(window, qtbot):
    wall = wall_of(window)
    wall.choose((2, 3))
    QTest.keyClick(wall, KEY.Key_K)
    assert [heat > 1 for heat in window.model.outline.heats] == [n in (2, 3) for n in range(20)]
    assert window.controller.undo_stack.stack.undoText() == "Melt 2 Chains"
    until(qtbot, lambda: wall.states[1] == {2, 3})
    QTest.keyClick(wall, KEY.Key_R)
    assert window.model.outline.heats == ()
    assert window.controller.undo_stack.stack.undoText() == "Restart 2 Chains"
    window.controller.set_front(3)
    button(window, "Keep only").click()
    assert window.model.chains == 2 and window.model.front == 1 and chosen(window) == []
    until(qtbot, lambda: len(window.last_frame.lanes[0].thumbnails) == 2 and wall.chains == 2)
    for _ in range(3):
        window.controller.undo()
    settled(window, qtbot)
    assert window.model.chains == 20 and window.model.outline.heats == ()
    until(qtbot, lambda: wall.chains == 20 and len(wall._lanes[0].thumbnails) == 20)


def test_a_right_click_offers_what_can_be_done(window, qtbot):
    wall = wall_of(window)
    wall.choose((1, 2))

    def offered(chain):
        at = point(wall, chain)
        reason = QContextMenuEvent.Reason.Mouse
        event = QContextMenuEvent(reason, at, wall.viewport().mapToGlobal(at))
        QApplication.sendEvent(wall.viewport(), event)
        return wall.findChildren(QMenu)[-1]

    menu = offered(2)
    assert [action.text() for action in menu.actions()] == ["Melt", "Restart", "Hold", "Keep only"]
    assert chosen(window) == [1, 2]
    menu.close()
    menu = offered(9)
    assert chosen(window) == [9]
    menu.actions()[2].trigger()
    menu.close()
    assert window.model.outline.held == (9,)


def test_keys_act_on_all_chains_where_none_is_chosen(window, qtbot):
    QTest.keyClick(wall_of(window), KEY.Key_K)
    assert window.controller.undo_stack.stack.undoText() == "Melt"
    QTest.keyClick(wall_of(window), KEY.Key_Space)
    until(qtbot, lambda: window.model.run_state.value == "paused")


def test_averages_are_shown_on_demand(window, qtbot):
    wall = wall_of(window)
    window.feature(ChainWall).bar.averages_chosen.emit(True)
    paused(window, qtbot)
    lane = window.last_frame.lanes[0]
    front = window.model.front
    assert lane.average is not None
    assert np.array_equal(
        lane.thumbnails[front, :, :, 0], (lane.average[0].clip(0, 1) * 255).round().astype(np.uint8)
    )
    window.feature(ChainWall).action.setChecked(False)
    until(
        qtbot,
        lambda: np.array_equal(
            window.last_frame.lanes[0].thumbnails[front, :, :, 0],
            (window.last_frame.lanes[0].raw[0].clip(0, 1) * 255).round().astype(np.uint8),
        ),
    )
    assert not wall.isVisible()


def test_the_wheel_zooms_about_the_pointer_and_the_wall_is_dragged(window, qtbot):
    wall = wall_of(window)
    before = wall.layout_now.thumb[0]
    turn(wall.viewport(), 3)
    assert wall.layout_now.thumb[0] > 1.5 * before and wall.zoom > 1
    bar = wall.horizontalScrollBar()
    assert bar.maximum() > 0
    middle = wall.viewport().rect().center()
    under = wall._chain_at(middle.toPointF())
    turn(wall.viewport(), 2)
    assert under is None or wall._chain_at(middle.toPointF()) == under
    at = bar.value()
    QTest.mousePress(wall.viewport(), Qt.MouseButton.MiddleButton, NONE, middle)
    QTest.mouseMove(wall.viewport(), middle - QPoint(40, 0))
    QTest.mouseRelease(wall.viewport(), Qt.MouseButton.MiddleButton, NONE, middle)
    assert bar.value() == at + 40
    QTest.keyClick(wall, KEY.Key_0)
    assert wall.layout_now.thumb[0] == before and bar.maximum() == 0
    window.actions_by_name["zoom_in"].trigger()
    assert wall.layout_now.thumb[0] > before
    QTest.keyClick(wall, KEY.Key_F)
    assert wall.layout_now.thumb[0] == before
    QTest.keyClick(wall, KEY.Key_Plus)
    QTest.keyClick(wall, KEY.Key_End)
    left, top = wall._offset
    shown = wall.layout_now.thumb_of(19).translated(-left, -top)
    assert wall.viewport().rect().contains(shown)


def test_zooming_out_brings_all_chains_into_view_and_uses_the_whole_width(qtbot):
    wall = Wall()
    qtbot.addWidget(wall)
    wall.resize(720, 510)
    columns = tuple(tuple(range(first, 1000, 10)) for first in range(10))
    wall.set_chains(columns, tuple("0123456789"), ("",) * 1000, (28, 28))
    usual, wide = wall.layout_now.thumb[0], wall._sections.arrangement.wide
    assert wall.layout_now.size[1] > 510
    wall.zoom_by(-1)
    assert usual > wall.layout_now.thumb[0]
    wall.zoom_by(-20)
    width, height = wall.layout_now.size
    assert wall._sections.arrangement.wide > wide
    assert 600 < width <= 720 and height <= 510
    assert wall.verticalScrollBar().maximum() == wall.horizontalScrollBar().maximum() == 0
    wall.zoom_by(20)
    wall.fit()
    assert (wall.layout_now.thumb[0], wall._sections.arrangement.wide) == (usual, wide)


def test_compared_networks_have_a_section_each(window, qtbot):
    wall = wall_of(window)
    compare_with_itself(window, qtbot)
    until(qtbot, lambda: len(wall._lanes) == 2)
    assert [title[0] for title in wall._titles] == ["A", "B"]
    QTest.mouseClick(wall.viewport(), LEFT, NONE, point(wall, 7, section=1))
    assert window.model.front == 7
    wall.choose((1,))
    button(window, "Hold").click()
    settled(window, qtbot)
    assert window.controller.ask(lambda state: state.held).result(20) == (1,)
    window.controller.end_comparison()
    until(qtbot, lambda: len(wall._lanes) == 1)


def test_another_session_and_a_presentation_while_it_is_up(window, qtbot):
    wall = wall_of(window)
    wall.choose((1, 2))
    window.present(True)
    assert wall.isVisible() and not window.strip.isVisible() and wall.hasFocus()
    window.present(False)
    window.open(small_opening("fc3:0-2"))
    assert chosen(window) == [] and not wall._lanes
    until(qtbot, lambda: wall.chains == 3 and bool(wall._lanes))
    assert len(wall.layout_now.labels) == 3
    window.feature(ChainWall).action.setChecked(False)
    assert window.strip.isVisible()
    assert window.panels.middle.sizes()[1] > 0


def test_nothing_is_done_while_it_is_down(window, qtbot):
    wall = wall_of(window)
    window.feature(ChainWall).action.setChecked(False)
    wall.clear()
    count = window.frames.count
    until(qtbot, lambda: window.frames.count > count + 2)
    assert not wall._lanes
    window.feature(ChainWall).act("melt")
    assert not window.model.outline.heats
