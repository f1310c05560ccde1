"""Panels that there is no room for leave something to bring them back with."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLabel

from ldam_studio.gui.filters.panel import FilterPanel
from ldam_studio.gui.learner.panel import LearnerPanel
from ldam_studio.gui.picker.picker import NeuronPicker
from ldam_studio.gui.settings.controls import Controls
from ldam_studio.gui.traces.traces import Traces
from ldam_studio.gui.window.panels import Panels


def fill(panels):
    """Put the panels of all features where they belong."""
    for side, panel in (
        ("neurons", NeuronPicker()),
        ("neurons", FilterPanel()),
        ("controls", Controls()),
        ("controls", LearnerPanel()),
        ("traces", Traces()),
    ):
        panels.add_panel(side, panel)


@pytest.fixture
def panels(qtbot):
    made = Panels()
    qtbot.addWidget(made)
    made.resize(1280, 820)
    made.show()
    fill(made)
    made.make_room()
    return made


def _shrink(panels, width, height):
    panels.resize(width, height)
    panels.make_room()


def test_a_small_window_keeps_a_handle_for_each_panel_that_went(panels, qtbot):
    assert not any(handle.isVisible() for handle in panels.handles.values())
    _shrink(panels, 900, 600)
    assert not panels.shows("neurons")
    assert not panels.shows("traces")
    with qtbot.waitSignal(panels.changed):
        QTest.mouseClick(panels.handles["neurons"], Qt.MouseButton.LeftButton)
    assert panels.shows("neurons")
    assert not panels.handles["neurons"].isVisible()
    # It stays where the window changes a little, as what the person asked for.
    _shrink(panels, 910, 610)
    assert panels.shows("neurons")
    panels.handles["traces"].setFocus()
    QTest.keyClick(panels.handles["traces"], Qt.Key.Key_Space)
    assert panels.shows("traces")


def test_hiding_a_panel_leaves_its_handle_and_a_large_window_brings_only_others_back(panels):
    panels.show_panel("controls", False)
    assert panels.handles["controls"].isVisible()
    _shrink(panels, 900, 600)
    panels.show_panel("neurons", True)
    panels.show_panel("neurons", False)
    _shrink(panels, 1280, 820)
    assert not panels.shows("neurons")
    assert not panels.shows("controls")
    assert panels.shows("traces")


def test_a_presentation_shows_no_handles(panels):
    panels.presenting = True
    panels.make_room()
    assert not any(handle.isVisible() for handle in panels.handles.values())


def test_handles_are_reached_and_named(panels):
    for handle in panels.handles.values():
        assert handle.accessibleName().startswith("Show ")
        assert handle.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_a_second_row_of_images_has_the_room_of_strip_and_traces(panels, qtbot):
    _shrink(panels, 1280, 720)
    qtbot.waitUntil(lambda: sum(panels.middle.sizes()) < 730)
    before = panels.middle.sizes()
    panels.show_two_rows(True)
    qtbot.waitUntil(lambda: panels.canvas.height() >= before[0] + 50)
    assert panels.heights() == before  # what the next start begins with
    _shrink(panels, 1280, 640)
    assert panels.shows("traces")
    _shrink(panels, 1280, 1300)
    qtbot.waitUntil(lambda: panels.middle.sizes()[1:] == before[1:])
    _shrink(panels, 1280, 720)
    qtbot.waitUntil(lambda: panels.canvas.height() >= before[0] + 50)
    panels.show_two_rows(False)
    qtbot.waitUntil(lambda: panels.middle.sizes() == before)


def test_the_settings_are_never_cut_off(qtbot):
    panels = Panels()
    qtbot.addWidget(panels)
    panels.resize(1000, 640)
    panels.across.setSizes([180, 570, 250])  # as another start may have left them
    panels.show()
    fill(panels)
    sideways = panels.column.horizontalScrollBar()
    qtbot.waitUntil(lambda: panels.column.viewport().width() > 100)
    qtbot.waitUntil(lambda: sideways.maximum() == 0)
    wide = QLabel("a row that takes more room than the ones that were there before it")
    panels.add_panel("controls", wide, first=True)
    qtbot.waitUntil(lambda: panels.column.widget().width() > wide.sizeHint().width())
    qtbot.waitUntil(lambda: sideways.maximum() == 0)
