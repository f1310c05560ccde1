"""The control panel of two networks side by side."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtWidgets import QApplication

from ldam_studio.gui.settings.controls import Controls
from ldam_studio.gui.settings.slider import AnnealSlider
from ldam_studio.gui.theme import theme
from ldam_studio.sampler.settings import SETTINGS
from ldam_studio.sampler.settings_table import GROUPS


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


def test_every_setting_is_always_there_or_in_the_fold_of_its_group(qtbot):
    made = Controls()
    qtbot.addWidget(made)
    for name, row in made.rows.items():
        holds = [group for group, fold in made.folded.items() if fold.isAncestorOf(row)]
        group = SETTINGS[name].group
        assert holds == [group] * (group not in ("sampler", "average"))
    assert [fold.text() for fold in made.folded.values()] == [GROUPS[g] for g in made.folded]
    assert not any(fold.isExpanded() for fold in made.folded.values())
