"""The control panel of two networks side by side."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtWidgets import QApplication

from ldam_studio.gui.settings.controls import Controls
from ldam_studio.gui.settings.slider import AnnealSlider
from ldam_studio.gui.theme import theme


class _Paints(QObject):
    def __init__(self):
        super().__init__()
        self.count = 0

    def eventFilter(self, watched, event):
        self.count += event.type() == QEvent.Type.Paint
        return False


@pytest.fixture
def slider(qtbot):
    controls = Controls()
    qtbot.addWidget(controls)
    theme.apply(QApplication.instance(), "dark")
    controls.resize(300, 600)
    with qtbot.waitExposed(controls):
        controls.show()
    QApplication.processEvents()
    return controls, controls.findChildren(AnnealSlider)[0]


def test_sliders_take_the_colour_of_the_network_that_is_acted_on_at_once(slider, qtbot):
    controls, first = slider
    first.show_position(400)
    QApplication.processEvents()
    usual = first.grab().toImage()
    paints = _Paints()
    first.installEventFilter(paints)
    controls.show_acting(1, True)
    qtbot.waitUntil(lambda: paints.count > 0)
    first.removeEventFilter(paints)
    assert first.grab().toImage() != usual
    controls.show_acting(None, True)
    assert first.grab().toImage() == usual
