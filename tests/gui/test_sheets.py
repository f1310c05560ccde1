"""The contact sheet's window: it fills live, stops, goes on, sorts, opens neurons and saves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QFileDialog

from gui.windows import open_in, picker_of, small_opening, until
from ldam_studio.engine.run_state import RunState
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets import making
from ldam_studio.explore.sheets.folder import read_index
from ldam_studio.export.replay import compare
from ldam_studio.gui.neuron_grid.words import about, duration
from ldam_studio.gui.opening.pictures import read_picture
from ldam_studio.gui.session.model import SIGNED, Display
from ldam_studio.gui.sheets.feature import Sheets
from ldam_studio.gui.sheets.work import MOST_KEPT, numbers_in, tidy
from ldam_studio.gui.window.window import StudioWindow
from ldam_studio.networks.neurons import Neuron


def shown(window: StudioWindow, qtbot, numbers: str = "0-2", steps: int = 20) -> Sheets:
    """Open the sheet of the layer in front, for a few neurons and steps."""
    window.actions_by_name["contact_sheet"].trigger()
    feature = window.feature(Sheets)
    dialog = feature.dialog
    until(qtbot, dialog.isVisible)
    dialog.chains.setValue(1)
    dialog.steps.setValue(steps)
    dialog.numbers.setText(numbers)
    dialog.numbers.editingFinished.emit()
    until(qtbot, lambda: feature._task is None)
    return feature


def drawn(feature: Sheets, qtbot) -> Sheets:
    """Draw all neurons that are asked for."""
    qtbot.mouseClick(feature.dialog.draw, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: not feature.dialog.is_drawing)
    return feature


def looks_at(window: StudioWindow, neuron: str) -> bool:
    return {str(each) for each in window.model.outline.lane.neurons} == {neuron}


def captions(feature: Sheets) -> list[str]:
    cells = feature.dialog.cells
    return [cells.index(row).data() for row in range(cells.rowCount())]


def test_a_sheet_of_the_layer_fills_and_says_how_far_it_is(studio, qtbot):
    feature = shown(studio, qtbot)
    dialog = feature.dialog
    assert dialog.title.text().endswith("fc3")
    assert captions(feature) == ["0", "1", "2"]
    assert dialog.words.text() == "0 of 3 drawn"
    qtbot.mouseClick(dialog.draw, Qt.MouseButton.LeftButton)
    assert dialog.is_drawing and dialog.draw.text() == "Cancel"
    assert "The session is paused meanwhile" in dialog.words.text()
    until(qtbot, lambda: studio.model.run_state is RunState.PAUSED)
    until(qtbot, lambda: not dialog.is_drawing)
    assert dialog.words.text().startswith("All 3 drawn")
    assert not dialog.draw.isEnabled()
    assert all(caption.startswith(f"{n}  ") for n, caption in enumerate(captions(feature)))
    until(qtbot, lambda: studio.model.run_state is RunState.RUNNING)


def test_a_session_that_rested_rests_afterwards(studio, qtbot):
    studio.controller.pause()
    until(qtbot, lambda: studio.model.run_state is RunState.PAUSED)
    drawn(shown(studio, qtbot, "0"), qtbot)
    assert studio.model.run_state is RunState.PAUSED


def test_a_cancelled_sheet_goes_on_later(studio, qtbot):
    feature = shown(studio, qtbot, "0-9", steps=60)
    dialog = feature.dialog
    qtbot.mouseClick(dialog.draw, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: len(dialog.cells.thumbnails) > 0)
    qtbot.mouseClick(dialog.draw, Qt.MouseButton.LeftButton)
    assert not dialog.is_drawing
    assert dialog.draw.text() == "Go On"
    there = len(dialog.cells.thumbnails)
    assert 0 < there < 10
    drawn(feature, qtbot)
    assert len(dialog.cells.thumbnails) == 10


def test_closing_the_sheet_stops_it_and_keeps_what_is_drawn(studio, qtbot):
    feature = shown(studio, qtbot, "0-9", steps=60)
    dialog = feature.dialog
    qtbot.mouseClick(dialog.draw, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: len(dialog.cells.thumbnails) > 0)
    dialog.close()
    assert not dialog.is_drawing
    until(qtbot, lambda: studio.model.run_state is RunState.RUNNING)
    studio.actions_by_name["contact_sheet"].trigger()
    assert len(dialog.cells.thumbnails) > 0


def test_a_sheet_is_there_after_the_window_was_closed(make_window, qtbot, tmp_path, monkeypatch):
    first = open_in(make_window(), qtbot, small_opening())
    first.feature(Sheets).studio.folder = tmp_path
    drawn(shown(first, qtbot, "3-4"), qtbot)
    first.close()
    (kept,) = (tmp_path / "sheets").iterdir()
    assert [row.neuron for row in read_index(kept).neurons] == ["fc3:3", "fc3:4"]
    monkeypatch.setattr(making, "draw", None)
    second = open_in(make_window(), qtbot, small_opening())
    second.feature(Sheets).studio.folder = tmp_path
    feature = shown(second, qtbot, "3-4")
    assert feature.dialog.words.text().startswith("All 2 drawn")


def test_a_click_opens_the_neuron_and_the_sheet_comes_back(studio, qtbot):
    feature = drawn(shown(studio, qtbot, "5-6"), qtbot)
    dialog = feature.dialog
    place = dialog.grid.visualRect(dialog.cells.index(1)).center()
    qtbot.mouseClick(dialog.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert not dialog.isVisible()
    until(qtbot, lambda: looks_at(studio, "fc3:6"))
    assert [note.title for note in studio.model.outline.pictures] == ["fc3:6"]
    assert any("from the contact sheet" in text for text in studio.banner.texts())
    feature.show()
    assert dialog.isVisible()
    assert len(dialog.cells.thumbnails) == 2


def test_enter_opens_the_neuron_that_has_the_focus(studio, qtbot):
    feature = drawn(shown(studio, qtbot, "7"), qtbot)
    grid = feature.dialog.grid
    grid.setCurrentIndex(feature.dialog.cells.index(0))
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    until(qtbot, lambda: looks_at(studio, "fc3:7"))


def test_chains_begin_at_the_picture_and_one_undo_takes_that_back(studio, qtbot):
    feature = drawn(shown(studio, qtbot, "5", steps=40), qtbot)
    studio.controller.pause()
    until(qtbot, lambda: studio.model.run_state is RunState.PAUSED)
    before = studio.model.outline.lane.neurons
    feature.dialog.grid.chosen.emit(feature.dialog.cells.index(0))
    until(qtbot, lambda: looks_at(studio, "fc3:5"))
    thumbnail = feature.dialog.cells.thumbnails[0]
    picture = thumbnail.place.kept(thumbnail.made.neuron)
    until(qtbot, lambda: np.array_equal(studio.last_frame.lanes[0].raw, picture.pixels.numpy()))
    studio.controller.undo()
    until(qtbot, lambda: studio.model.outline.lane.neurons == before)
    assert not studio.model.outline.pictures


def test_a_sheet_of_the_layer_that_is_chosen_in_the_picker(make_window, qtbot):
    opening = small_opening(discriminator=True, discriminator_weight=0.5, jitter=2)
    window = open_in(make_window(), qtbot, opening)
    picker_of(window)._tree.browsed.emit("conv1")
    feature = drawn(shown(window, qtbot, "5"), qtbot)
    dialog = feature.dialog
    assert dialog.title.text().endswith("conv1")
    settings = feature._wanted().settings
    assert (settings.discriminator_weight, settings.views_of) == (0, "field")
    dialog.grid.chosen.emit(dialog.cells.index(0))
    until(qtbot, lambda: looks_at(window, "conv1:5"))
    assert [note.title for note in window.model.outline.pictures] == ["conv1:5"]
    assert window.model.acted.settings == settings
    feature.show()
    assert len(dialog.cells.thumbnails) == 1
    window.controller.undo()
    until(qtbot, lambda: window.model.outline.lane.neurons[2] == Neuron("fc3", 2))
    assert window.model.acted.settings.discriminator_weight == 0.5


def test_a_picture_of_distances_is_not_begun_at(studio, qtbot):
    studio.controller.set_display(Display(SIGNED))
    feature = drawn(shown(studio, qtbot, "5"), qtbot)
    feature.dialog.grid.chosen.emit(feature.dialog.cells.index(0))
    until(qtbot, lambda: looks_at(studio, "fc3:5"))
    assert not studio.model.outline.pictures


def test_a_neuron_that_is_not_drawn_is_not_opened(studio, qtbot):
    feature = shown(studio, qtbot, "5")
    before = studio.model.outline.lane.neurons
    feature.dialog.grid.chosen.emit(feature.dialog.cells.index(0))
    assert feature.dialog.isVisible()
    assert studio.model.outline.lane.neurons == before


def test_the_orders(studio, qtbot):
    feature = drawn(shown(studio, qtbot, "0-4"), qtbot)
    dialog = feature.dialog
    rows = {n: each.made.row for n, each in dialog.cells.thumbnails.items()}
    dialog.order_chosen.emit("activation")
    by_value = sorted(rows, key=lambda n: -rows[n].activation)
    assert dialog.cells.order == tuple(by_value)
    dialog.order.setCurrentIndex(dialog.order.findData("similarity"))
    dialog.order_chosen.emit("similarity")
    expected = feature.dialog.cells
    until(qtbot, lambda: expected._sorted == "similarity")
    assert sorted(dialog.cells.order) == [0, 1, 2, 3, 4]
    dialog.order_chosen.emit("index")
    assert dialog.cells.order == (0, 1, 2, 3, 4)


def test_hovering_says_what_there_is_to_say(studio, qtbot):
    feature = shown(studio, qtbot, "0-1")
    cells = feature.dialog.cells
    assert cells.index(0).data(Qt.ItemDataRole.ToolTipRole) == "0: not drawn yet"
    drawn(feature, qtbot)
    row = cells.thumbnails[0].made.row
    words = cells.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert words == about(row)
    assert words.startswith("0 (fc3:0)\nActivation ")
    assert "Not converged in 20 steps" in words


def test_thumbnails_have_another_size(studio, qtbot):
    feature = drawn(shown(studio, qtbot, "0"), qtbot)
    grid = feature.dialog.grid
    feature.dialog.size_slider.setValue(200)
    assert grid.side == 200
    assert grid.visualRect(feature.dialog.cells.index(0)).height() > 200
    assert not grid.grab().toImage().convertToFormat(QImage.Format.Format_RGB32).isNull()


def test_the_page_is_saved_and_replays(studio, qtbot, tmp_path, monkeypatch):
    feature = drawn(shown(studio, qtbot, "0-1"), qtbot)
    path = tmp_path / "page"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(path), ""))
    qtbot.mouseClick(feature.dialog.save, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: feature.dialog.note.text().startswith("Saved "))
    found = compare(Path(f"{path}.png"))
    assert found is not None
    assert found.identical


def test_a_page_that_is_opened_says_what_it_is(tmp_path, studio, qtbot):
    feature = drawn(shown(studio, qtbot, "0-1"), qtbot)
    feature._write(tmp_path / "page.png")
    until(qtbot, lambda: feature.dialog.note.text().startswith("Saved "))
    picture = read_picture(tmp_path / "page.png")
    assert picture.words.startswith("Contact sheet of lenet, fc3: 2 neurons")
    assert "Its session is that of fc3:0" in picture.words


def test_a_page_that_cannot_be_saved_is_a_sentence(studio, qtbot, monkeypatch):
    feature = drawn(shown(studio, qtbot, "0"), qtbot)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: ("/proc/no/a.png", ""))
    qtbot.mouseClick(feature.dialog.save, Qt.MouseButton.LeftButton)
    until(qtbot, lambda: "/proc/no" in feature.dialog.note.text())
    until(qtbot, lambda: feature.dialog.note.property("role") == "danger")


def test_neurons_that_are_not_there_are_a_sentence(studio, qtbot):
    feature = shown(studio, qtbot, "0")
    for text in ("x", "10", "5-2", "0-99", "-1", "99999999999"):
        feature.dialog.note.clear()
        feature.dialog.note.hide()
        feature.dialog.numbers.setText(text)
        feature.dialog.numbers.editingFinished.emit()
        assert "from 0 to 9" in feature.dialog.note.text(), text
        assert feature.dialog.note.isVisible()
        assert not feature.dialog.is_drawing


def test_another_session_takes_the_sheet_away(studio, qtbot):
    feature = drawn(shown(studio, qtbot, "0"), qtbot)
    studio.open(small_opening("fc2:0-1"))
    until(qtbot, lambda: not feature.dialog.isVisible())
    until(qtbot, lambda: studio.model.is_open and studio.last_frame is not None)
    feature.show()
    assert feature.dialog.title.text().endswith("fc2")
    assert not feature.dialog.cells.thumbnails


def test_numbers_are_read():
    assert numbers_in("", 10) is None
    assert numbers_in(" 0-2, 7;7 9 ", 10) == (0, 1, 2, 7, 9)
    with pytest.raises(StudioError, match="from 0 to 9"):
        numbers_in("3-1", 10)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (7.2, "8 seconds"),
        (31, "40 seconds"),
        (59, "1 minute"),
        (170, "3 minutes"),
    ],
)
def test_times_are_said_in_words(seconds, words):
    assert duration(seconds) == words


def test_sheets_that_were_left_long_ago_are_removed(tmp_path):
    folders = [tmp_path / f"{number:024x}" for number in range(MOST_KEPT + 3)]
    for folder in folders:
        folder.mkdir()
        (folder / "index.json").write_text("{}")
    (tmp_path / "mine").mkdir()
    tidy(tmp_path, folders[0])
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == MOST_KEPT + 1
    assert {"mine", folders[0].name} <= left
