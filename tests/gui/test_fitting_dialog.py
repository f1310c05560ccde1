"""Dialogs on small screens: buttons stay visible, nothing is squashed, the rest scrolls."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
)

from gui.windows import until
from ldam_studio.gui.exporting.dialog import ExportDialog
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.network_dialog.dialog import NetworkDialog
from ldam_studio.gui.network_dialog.input_form import OWN
from ldam_studio.gui.network_dialog.source import BUILT_IN, CODE
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.settings.photographs_dialog import PhotographsDialog
from ldam_studio.gui.settings.presets_dialog import PresetsDialog
from ldam_studio.gui.stragglers import STRAGGLERS
from ldam_studio.gui.theme import theme
from ldam_studio.gui.watch.dialog import WatchDialog
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.user_presets import UserPresets

ROOMS = {"a laptop": QSize(1334, 704), "a laptop at scale 2": QSize(651, 320)}
LONG = "This sentence says what is wrong, where that is, and what to do about it. " * 12


def network(tmp_path) -> FittingDialog:
    dialog = NetworkDialog(NetworkRequest(f"{tmp_path}/mine.py:UNet"))
    dialog.input.preset.setCurrentText(OWN)
    dialog.input.extent.setText("4 x 32 x 32")
    dialog.card.show_error(LONG)
    return dialog


def watch(tmp_path) -> FittingDialog:
    dialog = WatchDialog("lenet", ())
    dialog.say(dialog.note, LONG, "danger")
    return dialog


def photographs(tmp_path) -> FittingDialog:
    dialog = PhotographsDialog("lenet", "")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # the test deletes it
    dialog.say(dialog.note, LONG, "danger")
    return dialog


def presets(tmp_path) -> FittingDialog:
    dialog = PresetsDialog(UserPresets(tmp_path / "presets.json"), {"l2": 0.25})
    dialog._complain(LONG)
    return dialog


def export(tmp_path) -> FittingDialog:
    return ExportDialog({"average": (28, 28), "raw": (28, 28)}, note=LONG)


@pytest.fixture
def fit(monkeypatch, qapp, qtbot):
    """Show a dialog on a screen with this much room."""
    theme.apply(qapp, "dark")

    def show(dialog, room):
        monkeypatch.setattr(FittingDialog, "_room", lambda self: room)
        qtbot.addWidget(dialog)
        dialog.show()
        settle()
        return dialog

    return show


def settle() -> None:
    for _ in range(3):
        QApplication.processEvents()


def squashed(dialog) -> list[str]:
    """Return the visible fields and texts that have less room than they need."""
    kinds = (QLineEdit, QComboBox, QPushButton, QRadioButton, QLabel)
    found = []
    for kind in kinds:
        for widget in dialog.findChildren(kind):
            inside = isinstance(widget.parent(), QComboBox | QAbstractSpinBox)
            if widget.isVisible() and not inside:
                wrapped = isinstance(widget, Paragraph)
                hint = widget.sizeHint().height()
                needed = widget.heightForWidth(widget.width()) if wrapped else hint
                if widget.height() < needed:
                    found.append(f"{widget.accessibleName() or widget.text()}: {widget.height()}")
    return found


def buttons_are_visible(dialog) -> bool:
    (box,) = dialog.findChildren(QDialogButtonBox)
    corner = box.mapTo(dialog, box.rect().bottomRight())
    return box.visibleRegion().boundingRect() == box.rect() and dialog.rect().contains(corner)


@pytest.mark.parametrize("room", ROOMS.values(), ids=ROOMS)
@pytest.mark.parametrize("make", [network, watch, photographs, presets, export])
def test_a_dialog_fits_the_screen_and_squashes_nothing(fit, tmp_path, make, room):
    dialog = fit(make(tmp_path), room)
    assert dialog.width() <= room.width() and dialog.height() <= room.height()
    assert buttons_are_visible(dialog)
    assert squashed(dialog) == []
    assert dialog._area.horizontalScrollBar().maximum() == 0
    dialog.reject()


def test_an_error_is_scrolled_to_and_makes_no_dialog_wider(fit, tmp_path, qtbot):
    dialog = fit(PresetsDialog(UserPresets(tmp_path / "presets.json"), {}), QSize(651, 240))
    width = dialog.width()
    dialog._complain(LONG)
    until(qtbot, lambda: dialog._area.verticalScrollBar().value() > 0)
    assert not dialog.note.visibleRegion().isEmpty() and dialog.width() == width
    dialog.reject()


def test_a_dialog_grows_with_what_it_shows_and_no_further_than_the_screen(fit, tmp_path, qtbot):
    room = QSize(1334, 704)
    dialog = fit(NetworkDialog(NetworkRequest(f"{tmp_path}/mine.py:UNet")), room)
    before = dialog.height()
    bar = dialog._area.verticalScrollBar()
    assert before < room.height() and bar.maximum() == 0
    dialog.input.preset.setCurrentText("ImageNet")
    until(qtbot, lambda: dialog.height() > before)
    assert squashed(dialog) == []
    # An error is scrolled to, wherever it is.
    dialog.resize(dialog.width(), 300)
    dialog.card.show_error(LONG)
    until(qtbot, lambda: bar.maximum() > 0)
    dialog._content.layout().activate()
    dialog.card.show_error("Short.")
    until(qtbot, lambda: not dialog.card.error.visibleRegion().isEmpty())
    assert dialog.height() <= room.height() and buttons_are_visible(dialog)
    dialog.reject()


@pytest.mark.parametrize("kind", [BUILT_IN, CODE])
def test_room_that_is_left_goes_to_a_list_or_to_the_facts(fit, tmp_path, qtbot, kind):
    dialog = fit(NetworkDialog(NetworkRequest(f"{tmp_path}/mine.py:UNet")), QSize(1334, 1000))
    dialog.source.choose(kind)
    dialog.resize(dialog.width(), 900)
    settle()
    code, card = dialog.source.code, dialog.card
    grown = dialog.source.built_in.list if kind == BUILT_IN else card
    assert grown.height() > 300
    if kind == CODE:
        assert code.height() <= code.heightForWidth(code.width())
    dialog.reject()
    until(qtbot, lambda: not STRAGGLERS)


def test_a_field_is_scrolled_to_when_tab_reaches_it(fit, qtbot):
    dialog = FittingDialog()
    column = QVBoxLayout()
    fields = [QLineEdit() for _ in range(30)]
    for field in fields:
        column.addWidget(field)
    close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    dialog.lay_out(column, close)
    fit(dialog, QSize(400, 200))
    button = close.button(QDialogButtonBox.StandardButton.Close)
    button.setFocus()
    dialog.focusNextPrevChild(False)
    assert dialog.focusWidget() is fields[-1]
    assert fields[-1].visibleRegion().boundingRect() == fields[-1].rect()
