"""Presets in the window: menu, dialog, and one step to take them back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLineEdit

from gui.windows import controls, open_in, small_opening, until
from ldam_studio.gui.session.store import SessionStore
from ldam_studio.gui.settings.presets_dialog import PresetsDialog
from ldam_studio.sampler.presets import PRESETS
from ldam_studio.user_presets import UserPresets


def settings(window):
    return window.controller.ask(lambda state: state.lane.settings).result(30)


def entries(window):
    menu = window.places.menu("Presets")
    menu.aboutToShow.emit()
    return {action.text().replace("&", ""): action for action in menu.actions()}


@pytest.fixture
def keeping(make_window, qtbot, tmp_path):
    """Give a window that keeps its presets in a folder of its own."""
    return open_in(make_window(store=SessionStore(tmp_path)), qtbot, small_opening(l2=0.25))


def test_a_preset_is_one_change_to_take_back_and_is_logged_as_what_it_means(keeping, qtbot):
    before = keeping.model.outline.lane.settings
    choices = entries(keeping)
    assert not any(choices[p.label].isChecked() for p in PRESETS.values())
    choices["Clean"].trigger()
    expected = PRESETS["clean"].values((1, 28, 28), discriminator=False)
    until(qtbot, lambda: settings(keeping) == replace(before, **expected))
    assert [c for c, a in entries(keeping).items() if a.isChecked()] == ["Clean"]
    log = keeping.controller.ask(lambda s: {e.name: e.value for e in s.log}).result(30)
    changed = {n: v for n, v in expected.items() if v != getattr(before, n)}
    assert log == changed | {"reset_average": None}
    keeping.actions_by_name["undo"].trigger()
    until(qtbot, lambda: settings(keeping) == before)
    keeping.actions_by_name["redo"].trigger()
    until(qtbot, lambda: settings(keeping) == replace(before, **expected))


def test_the_button_above_the_settings_has_the_same_menu(keeping):
    button = controls(keeping).presets
    assert button.menu() is keeping.places.menu("Presets")
    assert all(action.toolTip() for action in entries(keeping).values() if action.text())


@pytest.fixture
def dialog(qtbot, tmp_path):
    made = PresetsDialog(UserPresets(tmp_path), {"l2": 0.25, "clamp": True})
    qtbot.addWidget(made)
    made.show()
    return made


def test_settings_are_saved_renamed_and_deleted(dialog, qtbot, tmp_path):
    presets = UserPresets(tmp_path)
    assert dialog.empty.isVisible() and not dialog.save_button.isEnabled()
    QTest.keyClicks(dialog.name, "mine")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    assert presets.read()["mine"].settings == {"l2": 0.25, "clamp": True}
    assert dialog.list.currentItem().text() == "mine" and not dialog.empty.isVisible()
    dialog.rename_button.click()
    editor = dialog.list.findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "yours")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    until(qtbot, lambda: list(presets.read()) == ["yours"])
    dialog.list.setCurrentRow(0)
    dialog.delete_button.click()
    assert presets.read() == {} and dialog.empty.isVisible()


def test_what_will_not_do_is_one_sentence_and_leaves_all_as_it_was(dialog, tmp_path):
    QTest.keyClicks(dialog.name, "paper")
    dialog.save_button.click()
    assert "preset of the program" in dialog.note.text()
    dialog.name.setText("one")
    dialog.save_button.click()
    assert not dialog.note.isVisible()
    dialog.list.currentItem().setText("clean")
    assert "preset of the program" in dialog.note.text()
    assert dialog.list.item(0).text() == "one"
    (tmp_path / "presets.json").write_text("{")
    dialog.name.setText("two")
    dialog.save_button.click()
    assert "presets.json cannot be read" in dialog.note.text()
    assert dialog.isVisible()


def test_a_preset_of_ones_own_is_in_the_menu(keeping, qtbot, tmp_path):
    keeping.actions_by_name["edit_presets"].trigger()
    dialog = keeping.findChild(PresetsDialog)
    dialog.name.setText("R&D")
    dialog.save_button.click()
    dialog.close()
    keeping.controller.set_value("l2", 0.75)
    entries(keeping)["1  RD"].trigger()
    until(qtbot, lambda: settings(keeping).l2 == 0.25)
    (tmp_path / "presets.json").write_text("[]")
    assert list(entries(keeping))[:3] == ["Paper", "Clean", "Explore"]
    assert any("cannot be read" in text for text in keeping.banner.texts())


def test_a_session_may_open_with_a_preset(make_window, qtbot):
    opening = replace(small_opening(), preset=PRESETS["explore"])
    window = open_in(make_window(), qtbot, opening)
    until(qtbot, lambda: settings(window).temperature == 0.05)
    window.controller.undo()
    until(qtbot, lambda: settings(window).temperature == 0.01)
