"""Colours that can be read, icons that are sharp, and a choice that holds."""

from __future__ import annotations

import itertools

import pytest
from PyQt6.QtCore import QEvent, QSize, Qt
from PyQt6.QtGui import QIcon, QPalette
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ldam_studio.assets import asset
from ldam_studio.gui.theme import colours, icons, theme

LOOKS = (colours.DARK, colours.LIGHT)
GROUNDS = ("background", "surface", "raised")
TEXTS = ("text", "muted", "accent", "warning", "danger", "success")


@pytest.fixture(autouse=True)
def _restored(qapp):
    yield
    theme.apply(qapp, "dark")


def test_every_text_has_enough_contrast_on_every_ground():
    for look, ground, token in itertools.product(LOOKS, GROUNDS, TEXTS):
        ratio = colours.contrast(getattr(look, token), getattr(look, ground))
        assert ratio >= 4.5, f"{token} on {ground}, dark {look.dark}"


def test_outlines_of_controls_and_selected_text_have_enough_contrast():
    for look in LOOKS:
        assert colours.contrast(look.on_accent, look.accent) >= 4.5
        for ground in GROUNDS:
            assert colours.contrast(look.control, getattr(look, ground)) >= 3


def test_contrast_is_that_of_wcag():
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_a_choice_reaches_the_palette_and_widgets_are_told(qapp, qtbot):
    label = QLabel("x")
    qtbot.addWidget(label)
    label.show()
    for choice, look in (("light", colours.LIGHT), ("dark", colours.DARK)):
        assert theme.apply(qapp, choice) == look == theme.current()
        window = label.palette().color(QPalette.ColorRole.Window).name()
        assert window == look.background


def test_a_widget_is_told_of_a_theme_once_however_many_are_around_it(qapp, qtbot):
    outer = inner = QWidget()
    for _ in range(12):
        inner = _Counting(inner)
    qtbot.addWidget(outer)
    outer.show()
    for choice in ("light", "dark"):
        inner.told = 0
        theme.apply(qapp, choice)
        assert inner.told == 1


class _Counting(QWidget):
    told = 0

    def changeEvent(self, event):
        super().changeEvent(event)
        self.told += event.type() == QEvent.Type.StyleChange


def test_a_theme_leaves_lists_where_they_are_scrolled(qapp, qtbot):
    area = QScrollArea()
    qtbot.addWidget(area)
    area.setWidgetResizable(True)
    rows = QWidget()
    column = QVBoxLayout(rows)
    for number in range(30):
        column.addWidget(QPushButton(str(number)))
    area.setWidget(rows)
    area.show()
    bar = area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    before = bar.value()
    theme.apply(qapp, "light")
    qapp.processEvents()
    assert bar.value() == before


def test_system_takes_one_of_the_two_looks(qapp):
    look = theme.apply(qapp, "system")
    assert look == (colours.DARK if theme.system_is_dark(qapp) else colours.LIGHT)


def test_presentation_enlarges_the_type_and_gives_it_back(qapp):
    theme.apply(qapp, "dark")
    usual = qapp.font().pointSizeF()
    theme.apply(qapp, "dark", scale=1.5)
    theme.apply(qapp, "dark", scale=1.5)
    assert qapp.font().pointSizeF() == pytest.approx(1.5 * usual)
    theme.apply(qapp, "dark")
    assert qapp.font().pointSizeF() == pytest.approx(usual)


def test_an_unknown_choice_is_refused(qapp):
    with pytest.raises(ValueError, match="sepia"):
        theme.apply(qapp, "sepia")


def test_every_icon_is_a_drawing_that_qt_can_read(qapp):
    for name in (*icons.ICONS, "ldam-studio"):
        path = asset("resources", "icons", f"{name}.svg")
        assert QSvgRenderer(str(path)).isValid(), name


def test_icons_are_drawn_at_the_device_resolution(qapp):
    for scale in (1.0, 1.25, 1.5, 2.0):
        drawn = icons.icon("fit").pixmap(QSize(16, 16), scale)
        assert drawn.width() == round(16 * scale)
        assert drawn.devicePixelRatio() == pytest.approx(scale)


def test_an_icon_takes_the_colour_of_the_look_it_is_painted_in(qapp):
    icon = icons.icon("play")
    for choice in ("dark", "light"):
        look = theme.apply(qapp, choice)
        drawn = icon.pixmap(24, 24).toImage()
        assert drawn.pixelColor(11, 12).name() == look.text
    faint = icon.pixmap(QSize(24, 24), QIcon.Mode.Disabled).toImage()
    assert faint.pixelColor(11, 12).alpha() < 128


def test_an_icon_that_does_not_exist_is_named(qapp):
    with pytest.raises(KeyError, match="unicorn"):
        icons.icon("unicorn")


def test_an_icon_squeezed_to_nothing_is_nothing_and_no_complaint(qapp, qtlog):
    engine = icons._ThemedSvg("play")
    size = QSize(0, 16)
    assert engine.pixmap(size, QIcon.Mode.Normal, QIcon.State.Off).isNull()
    assert not [record for record in qtlog.records if "QPainter" in record.message]


def test_icons_survive_copies(qapp):
    copies = [QIcon(icons.icon("step")) for _ in range(50)]
    assert all(not copy.pixmap(16, 16).isNull() for copy in copies)


def test_the_system_may_change_its_mind(qapp, monkeypatch):
    theme.apply(qapp, "system")
    monkeypatch.setattr(theme, "system_is_dark", lambda app: theme.current() == colours.LIGHT)
    before = theme.current()
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Unknown)
    assert theme.current() != before
    chosen = theme.apply(qapp, "light")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.current() == chosen


def test_black_and_white_images_stand_out_from_their_ground():
    for look in LOOKS:
        for image in ("#000000", "#ffffff"):
            assert colours.contrast(look.canvas, image) > 1.25
