"""Choosing what to export, how large, and where."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtWidgets import (
    QCheckBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QSpinBox,
)

from ldam_studio.gui.exporting.dialog import ExportChoice, ExportDialog
from ldam_studio.gui.exporting.last_choice import Choice
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.path_row import PathRow

SIZES = {"average": (28, 28), "raw": (28, 28), "strip": (289, 28), "averages": (289, 28)}


@pytest.fixture
def last(tmp_path):
    made = LastChoice(Choice(), tmp_path / "export.json")
    made.write(Choice(folder=str(tmp_path)))
    return made


@pytest.fixture
def make(qtbot, last):
    def build(sizes=SIZES, remember=True):
        shown = {what: np.full((h, w, 3), 90, np.uint8) for what, (w, h) in sizes.items()}
        dialog = ExportDialog(sizes, shown.get, last if remember else None)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return build


def _pick(dialog, word):
    next(r for r in dialog.findChildren(QRadioButton) if word in r.text()).click()


def _export(dialog):
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "Export").click()


def _texts(dialog):
    return [label.text() for label in dialog.findChildren(QLabel)]


def test_it_offers_the_average_at_a_size_that_can_be_seen(make, tmp_path):
    dialog = make()
    assert dialog.choice() == ExportChoice("average", 8, tmp_path / "average.png")
    assert "224 × 224 pixels" in _texts(dialog)


def test_another_picture_brings_its_own_name_and_size(make, tmp_path):
    dialog = make()
    _pick(dialog, "Raw samples")
    dialog.findChild(QSpinBox).setValue(2)
    assert dialog.choice() == ExportChoice("strip", 2, tmp_path / "strip.png")
    assert "578 × 56 pixels" in _texts(dialog)


def test_a_name_that_a_person_typed_is_kept(make, tmp_path, qtbot):
    dialog = make()
    field = dialog.findChild(PathRow).findChild(QLineEdit)
    field.clear()
    qtbot.keyClicks(field, str(tmp_path / "my seven"))
    _pick(dialog, "Raw sample of")
    assert dialog.choice() == ExportChoice("raw", 8, tmp_path / "my seven.png")


def test_no_name_cannot_be_exported(make):
    dialog = make()
    dialog.findChild(PathRow).findChild(QLineEdit).clear()
    assert not next(b for b in dialog.findChildren(QPushButton) if b.text() == "Export").isEnabled()


def test_what_is_there_is_not_offered_as_a_name(make, tmp_path):
    (tmp_path / "average.png").write_bytes(b"")
    assert make().choice().path == tmp_path / "average-2.png"


def test_the_last_choice_is_remembered(make, tmp_path):
    dialog = make()
    _pick(dialog, "Raw sample of")
    dialog.findChild(QSpinBox).setValue(3)
    _export(dialog)
    assert dialog.result() == dialog.DialogCode.Accepted
    assert make().choice() == ExportChoice("raw", 3, tmp_path / "raw.png")


@pytest.mark.parametrize("text", ["", "[3]", '{"zoom": 0}', '{"zoom": "many"}', '{"what": "all"}'])
def test_what_cannot_be_read_counts_as_the_first_export(make, last, text):
    last.file.write_text(text)
    LastChoice(Choice(), last.file).read()
    assert make().choice().what == "average"


def test_cancelling_is_not_remembered(make):
    dialog = make()
    _pick(dialog, "Raw sample of")
    dialog.reject()
    assert make().choice().what == "average"


def test_before_the_first_sample_the_raw_frame_is_offered(make):
    dialog = make({"raw": (28, 28), "strip": (289, 28)})
    assert dialog.choice().what == "raw"
    enabled = [r.isEnabled() for r in dialog.findChildren(QRadioButton)]
    assert enabled == [False, True, True, False]


@pytest.mark.parametrize(("answer", "done"), [("Yes", True), ("No", False)])
def test_a_file_is_replaced_only_if_the_person_agrees(make, tmp_path, monkeypatch, answer, done):
    dialog = make()
    there = tmp_path / "old.png"
    there.write_bytes(b"")
    dialog.findChild(PathRow).findChild(QLineEdit).setText(str(there))
    button = QMessageBox.StandardButton
    monkeypatch.setattr(QMessageBox, "question", lambda *a, **k: getattr(button, answer))
    _export(dialog)
    assert (dialog.result() == dialog.DialogCode.Accepted) is done


@pytest.mark.parametrize(("answer", "done"), [("Yes", True), ("No", False)])
def test_a_folder_is_made_only_if_the_person_agrees(make, tmp_path, monkeypatch, answer, done):
    dialog, asked = make(), []
    dialog.findChild(PathRow).findChild(QLineEdit).setText(str(tmp_path / "new" / "a.png"))
    button = QMessageBox.StandardButton
    monkeypatch.setattr(
        QMessageBox, "question", lambda *a, **k: asked.append(a[2]) or getattr(button, answer)
    )
    _export(dialog)
    assert (dialog.result() == dialog.DialogCode.Accepted) is done
    assert asked == [f"There is no folder {tmp_path / 'new'}. Make it?"]


def test_a_large_picture_is_not_enlarged_beyond_what_programs_open(make):
    dialog = make({"raw": (4000, 3000)})
    zoom = dialog.findChild(QSpinBox)
    assert zoom.maximum() == 2  # 48 megapixels; 108 would be too many
    dialog.grab()


def test_a_photograph_may_go_inside(qtbot, last):
    dialog = ExportDialog(SIZES, None, last, photographs=True)
    qtbot.addWidget(dialog)
    (box,) = dialog.findChildren(QCheckBox)
    assert "photograph inside" in box.text() and not dialog.choice().photographs
    box.click()
    assert dialog.choice().photographs
