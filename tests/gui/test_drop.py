"""Dropping files on the window."""

from __future__ import annotations

import pytest
import torch
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QWidget

from ldam_studio.errors import StudioError
from ldam_studio.gui.opening.drop import FileDrop
from ldam_studio.gui.opening.file_kinds import ATLAS, ATLAS_INDEX, WEIGHTS, kind_of


@pytest.fixture
def window(qtbot):
    made = QWidget()
    qtbot.addWidget(made)
    made.opened, made.said = [], []

    def opened(path):
        if path.is_file() and path.read_bytes() != b"recipe":
            raise StudioError(f"{path.name} contains no recipe: it was not exported here.")
        made.opened.append(path)

    made.lit = []
    FileDrop(made, opened, made.said.append, made.lit.append)
    return made


def _drop(window, urls=(), text=""):
    data = QMimeData()
    if urls:
        data.setUrls([QUrl(url) for url in urls])
    if text:
        data.setText(text)
    actions = Qt.DropAction.MoveAction | Qt.DropAction.CopyAction
    usual = (actions, data, Qt.MouseButton.LeftButton)
    keys = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPointF(5, 5).toPoint(), *usual, keys)
    enter.ignore()  # as Qt delivers it
    QApplication.sendEvent(window, enter)
    drop = QDropEvent(QPointF(5, 5), *usual, keys)
    if enter.isAccepted():
        QApplication.sendEvent(window, drop)
    return enter.isAccepted(), drop


def _file(folder, content):
    path = folder / "frame.png"
    path.write_bytes(content)
    return path


def test_a_picture_with_a_recipe_opens(window, tmp_path):
    path = _file(tmp_path, b"recipe")
    accepted, drop = _drop(window, [path.as_uri()])
    assert accepted
    assert drop.dropAction() == Qt.DropAction.CopyAction
    assert window.lit == [True, False]
    assert window.opened == [path]
    assert window.said == []


def test_the_folder_of_an_atlas_opens(window, tmp_path):
    (tmp_path / ATLAS_INDEX).touch()
    _drop(window, [tmp_path.as_uri()])
    assert window.opened == [tmp_path]
    assert kind_of(tmp_path) is kind_of(tmp_path / ATLAS_INDEX) is ATLAS


def test_anything_else_gives_one_sentence(window, tmp_path):
    _drop(window, [_file(tmp_path, b"holiday").as_uri()])
    _drop(window, [tmp_path.as_uri()])
    _drop(window, ["https://example.org/frame.png"])
    _drop(window, [tmp_path.as_uri(), tmp_path.as_uri()])
    assert window.opened == []
    assert len(window.said) == 4
    assert all(sentence.endswith(".") for sentence in window.said)
    assert "no recipe" in window.said[0]


def test_text_is_not_taken(window):
    accepted, _ = _drop(window, text="hello")
    assert not accepted
    assert window.said == []


def test_weights_of_any_name_are_known_by_their_content(tmp_path):
    for name in ("model_final", "last.state", "a.pth.tar"):
        torch.save({"w": torch.ones(2)}, tmp_path / name)
        assert kind_of(tmp_path / name) is WEIGHTS
    (tmp_path / "notes").write_text("nothing")
    with pytest.raises(StudioError, match="is neither a session file nor an exported picture nor"):
        kind_of(tmp_path / "notes")
    with pytest.raises(StudioError, match="is an animation, which a web browser plays"):
        kind_of(tmp_path / "melt.mp4")
