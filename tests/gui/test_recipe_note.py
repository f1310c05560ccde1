"""What is promised of the recipe in an exported picture: only what will hold."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QLabel

from gui.checkpoints import leave
from gui.windows import exporting, until, watching
from ldam_studio.gui.exporting import dialog, recipe_note
from ldam_studio.gui.exporting.recipe_note import REPLAYED

KEPT = (
    "last.safetensors is overwritten by the training, so that its weights are written beside the "
    "picture."
)
GONE = "it cannot be replayed, because lenet-000100.safetensors no longer holds the weights."


@pytest.fixture
def note(studio, qtbot, monkeypatch):
    """Give what the dialog says when one is about to export."""
    said = []

    def look(dialog):
        said[:] = [label.text() for label in dialog.findChildren(QLabel)]

    monkeypatch.setattr(dialog.ExportDialog, "ask", look)

    def ask():
        said.clear()
        exporting(studio).export()
        until(qtbot, lambda: bool(said))
        (sentence,) = (text for text in said if "recipe" in text)
        return sentence

    return ask


@pytest.fixture
def last(tmp_path):
    return tmp_path / "last.safetensors"


def write(folder, last, step):
    """Let a training write its only file anew."""
    leave(folder, step).replace(last)


def watched(studio, qtbot, last, step):
    """Watch, until the checkpoint of that step is in front."""
    watch = watching(studio).watch
    if not watch.is_on:
        watching(studio).start(last)
    until(qtbot, lambda: watch.swap is not None and watch.swap.checkpoint.step == step)
    return watch


def test_of_shipped_weights_it_is_the_plain_promise(note):
    assert note() == REPLAYED


def test_weights_that_were_written_over_are_told(studio, qtbot, note, tmp_path, last):
    write(tmp_path, last, 100)
    watch = watched(studio, qtbot, last, 100)
    assert note().endswith(KEPT)
    # One is pinned, and the file holds those of the other by now.
    watch.bar.pin.click()
    write(tmp_path, last, 200)
    watched(studio, qtbot, last, 200)
    until(qtbot, lambda: len(studio.last_frame.lanes) > 1)
    assert note().endswith(KEPT)
    # Known also of what is watched no longer.
    watch.bar.pin.click()
    until(qtbot, lambda: len(studio.last_frame.lanes) == 1)
    watch.stop()
    write(tmp_path, last, 300)
    assert note().endswith(KEPT)


def test_of_a_numbered_file_that_was_written_over_it_is_told(studio, qtbot, note, tmp_path):
    numbered = leave(tmp_path, 100)
    watched(studio, qtbot, tmp_path, 100)
    assert note() == REPLAYED
    numbered.write_bytes(numbered.read_bytes() + b" ")
    assert note().endswith(GONE)


def test_a_picture_of_weights_that_are_gone_has_a_copy(studio, qtbot, note, tmp_path):
    numbered = leave(tmp_path, 100)
    watched(studio, qtbot, tmp_path, 100)
    numbered.unlink()
    assert note().endswith("is gone, so that its weights are written beside the picture.")


def test_how_long_the_studios_own_trainings_are_kept_is_told(
    studio, qtbot, note, tmp_path, last, monkeypatch
):
    monkeypatch.setattr(recipe_note, "runs_folder", lambda: tmp_path)
    leave(tmp_path, 100)
    watched(studio, qtbot, tmp_path, 100)
    assert note().endswith(
        "can be replayed while its weights are kept: the cache keeps the last 3 trainings."
    )
