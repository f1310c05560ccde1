"""The control panel of two networks side by side."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtWidgets import QApplication, QWidget

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


def _tab_order(inside: QWidget) -> list[str]:
    """Return the names of what the Tab key reaches inside a widget, in that order."""
    order, each = [], inside.nextInFocusChain()
    while each is not inside:
        if each.focusPolicy() & Qt.FocusPolicy.TabFocus and each.accessibleName():
            order.append(each.accessibleName())
        each = each.nextInFocusChain()
    return order


def test_a_group_is_filled_when_it_is_unfolded_and_moves_nothing_else(qtbot):
    made = Controls()
    qtbot.addWidget(made)
    made.show()
    QApplication.processEvents()
    made.set_home({"start_spread": 0.5})
    width, always = made.minimumSizeHint().width(), set(made.rows.made)
    assert {SETTINGS[name].group for name in always} == {"sampler", "average"}
    made.folded["start"].expand(animate=False)
    assert set(made.rows.made) - always == {"start_spread", "start_spectrum"}
    assert made.rows["start_spread"].home == 0.5
    needed = sum(made.rows[name].sizeHint().height() for name in set(made.rows.made) - always)
    assert made.folded["start"].content().maximumHeight() > needed
    assert len(dict(made.rows)) == len(made.rows.made) == len(made.rows)
    assert made.minimumSizeHint().width() == width
    order = _tab_order(made)
    at = order.index("Start")
    assert order[at + 1 : at + 6] == [
        "Start spread, number",
        "Start spread",
        "Start spectrum, number",
        "Start spectrum",
        "More settings",
    ]


def test_every_setting_is_always_there_or_in_the_fold_of_its_group(qtbot):
    made = Controls()
    qtbot.addWidget(made)
    for name, row in made.rows.items():
        holds = [group for group, fold in made.folded.items() if fold.isAncestorOf(row)]
        group = SETTINGS[name].group
        assert holds == [group] * (group not in ("sampler", "average"))
    assert [fold.text() for fold in made.folded.values()] == [GROUPS[g] for g in made.folded]
    assert not any(fold.isExpanded() for fold in made.folded.values())
