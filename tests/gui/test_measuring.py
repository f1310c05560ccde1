"""Photo statistics that are measured from the window, while the session goes on."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image
from PyQt6.QtWidgets import QPushButton

from gui.windows import controls, open_in, paused, small_opening, until
from ldam_studio.engine.setting_notes import NOT_MEASURED
from ldam_studio.engine.state import snapshot
from ldam_studio.export.exporting import export
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.gui.settings.feature import SettingsPanel
from ldam_studio.gui.settings.measuring import MEASURE
from ldam_studio.gui.settings.photographs_dialog import PhotographsDialog
from ldam_studio.networks.statistics import finding
from ldam_studio.training import statistics


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(finding, "statistics_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    draws = np.random.default_rng(0)
    for number in range(16):
        pixels = draws.integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def window(make_window, qtbot, cache):
    """Give a window over a network whose photo statistics nobody has measured."""
    opened = open_in(make_window(), qtbot, small_opening(photo_statistics=0.5, schedule=9))
    controls(opened).folded["objective"].expand(animate=False)
    until(qtbot, lambda: row_of(opened).offer.isVisible())
    return opened


def row_of(window):
    return controls(window).rows["photo_statistics"]


def ask(window):
    """Press the button at the note and return the dialog that it shows."""
    row_of(window).offer.click()
    (dialog,) = (d for d in window.findChildren(PhotographsDialog) if d.isVisible())
    return dialog


def statistics_of(window):
    found = window.model.outline.lane.network
    return None if not found.named_statistics["statistics"] else found.photo_statistics


def buttons(window):
    found = window.banner.findChildren(QPushButton)
    return {button.text(): button for button in found if button.isVisible()}


def test_the_note_offers_to_measure_and_the_session_goes_on_with_what_was_found(
    window, qtbot, photos, cache, tmp_path
):
    row = row_of(window)
    assert row.offer.text() == MEASURE and row.note.text() == NOT_MEASURED
    until(qtbot, lambda: MEASURE in buttons(window))
    assert "photographs" in window.banner.texts()[-1]
    before = window.last_frame.step
    dialog = ask(window)
    dialog.path.setText(str(photos))
    dialog.go()
    until(qtbot, lambda: row.note.text() == "Measured on 16 photographs of photos.")
    assert statistics_of(window).sha256 and len(list(cache.iterdir())) == 1
    paused(window, qtbot)
    state = window.controller.ask(snapshot).result(30)
    (entry, again) = [entry for entry in state.log if entry.step > before]
    assert entry.name == "statistics" and state.lane.balance.gamma.all()
    assert again.name == "run_schedule" and state.lane.clock.steps == state.step - entry.step
    export(state, Shown("raw"), tmp_path / "a.png")
    assert compare(tmp_path / "a.png").identical
    window.controller.undo()
    until(qtbot, lambda: row.note.text() == NOT_MEASURED)
    assert statistics_of(window) is None
    window.controller.redo()
    until(qtbot, lambda: row.note.text().startswith("Measured on 16"))


def test_a_measurement_shows_its_progress_and_can_be_cancelled(
    window, qtbot, photos, cache, monkeypatch
):
    ended = threading.Event()

    def slow(network, images, source, seed, on_batch):
        try:
            while True:
                on_batch(1, 4)
                ended.wait(0.01)
        finally:
            ended.set()

    monkeypatch.setattr(statistics, "measure", slow)
    dialog = ask(window)
    dialog.path.setText(str(photos))
    dialog.go()
    until(qtbot, lambda: "Measuring lenet on photographs: 40%" in window.banner.texts()[-1])
    buttons(window)["Cancel"].click()
    until(qtbot, ended.is_set)
    assert not window.banner.texts() and not cache.exists()
    assert row_of(window).note.text() == NOT_MEASURED


def test_photographs_that_cannot_be_used_are_one_sentence(window, qtbot, photos, tmp_path):
    dialog = ask(window)
    dialog.path.setText(str(tmp_path / "nothing"))
    dialog.go()
    assert dialog.isVisible() and dialog.note.text().startswith("There is no folder or zip")
    for number in range(1, 16):
        (photos / f"{number}.png").unlink()
    dialog.path.setText(str(photos))
    dialog.go()
    until(qtbot, lambda: "contains 1 picture (.jpg" in window.banner.texts()[-1])
    assert "--data" not in window.banner.texts()[-1]
    buttons(window)["Choose Others…"].click()
    (again,) = (d for d in window.findChildren(PhotographsDialog) if d.isVisible())
    assert again.path.text() == str(photos)
    again.reject()
    assert window.feature(SettingsPanel).remember() == {"photographs": str(photos)}
