"""Images leave the window: by the clipboard, and by dragging."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from PyQt6.QtCore import QPoint, Qt, QTemporaryDir
from PyQt6.QtGui import QDrag, QGuiApplication
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMenu

from gui.windows import paused, until
from ldam_studio.errors import StudioError
from ldam_studio.export import exporting
from ldam_studio.export.replay import compare
from ldam_studio.gui import carry
from ldam_studio.gui.carry import CarriedFolder
from ldam_studio.gui.exporting.last_choice import Choice
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.stragglers import STRAGGLERS
from thinned import one_in


@pytest.fixture
def clipboard(qapp):
    """Give the clipboard, and empty it at the end."""
    found = QGuiApplication.clipboard()
    found.clear()
    yield found
    found.clear()


def has_file(clipboard):
    data = clipboard.mimeData()  # None, where nothing was copied yet
    return data is not None and data.hasUrls()


def copied(qtbot, clipboard):
    until(qtbot, lambda: has_file(clipboard))
    (url,) = clipboard.mimeData().urls()
    return Path(url.toLocalFile())


@pytest.mark.parametrize(
    ("key", "what"), one_in(2, [("copy_average", "average"), ("copy_raw", "raw")])
)
def test_a_copied_image_is_a_file_that_replays(studio, qtbot, clipboard, key, what):
    until(qtbot, lambda: studio.last_frame.lanes[0].average is not None)
    paused(studio, qtbot)
    studio.actions_by_name[key].trigger()
    path = copied(qtbot, clipboard)
    assert path.stem == what
    assert compare(path).identical
    image = clipboard.mimeData().imageData()
    assert (image.width(), image.height()) == (28 * LastChoice(Choice()).read().zoom,) * 2


def test_each_copy_is_a_file_of_its_own(studio, qtbot, clipboard):
    studio.actions_by_name["copy_raw"].trigger()
    first = copied(qtbot, clipboard)
    clipboard.clear()
    studio.actions_by_name["copy_raw"].trigger()
    assert copied(qtbot, clipboard) != first
    assert first.exists()


@pytest.fixture
def writing(monkeypatch):
    """Hold every export until `goes_on` is set, which a window that waits for it cannot do."""
    held, original = SimpleNamespace(goes_on=threading.Event(), begun=[]), exporting.export

    def export(state, shown, path):
        held.begun.append(shown.what)
        assert held.goes_on.wait(10)
        return original(state, shown, path)

    monkeypatch.setattr(exporting, "export", export)
    return held


def test_the_window_lives_while_a_copy_is_written(studio, qtbot, clipboard, writing):
    studio.actions_by_name["copy_raw"].trigger()
    step = studio.last_frame.step
    until(qtbot, lambda: studio.last_frame.step > step)
    assert not has_file(clipboard)
    writing.goes_on.set()
    assert copied(qtbot, clipboard).exists()


def test_the_last_of_two_copies_is_on_the_clipboard(studio, qtbot, clipboard, writing):
    until(qtbot, lambda: studio.last_frame.lanes[0].average is not None)
    studio.actions_by_name["copy_average"].trigger()
    studio.actions_by_name["copy_raw"].trigger()
    writing.goes_on.set()
    assert copied(qtbot, clipboard).stem == "raw"
    until(qtbot, lambda: not STRAGGLERS)
    assert copied(qtbot, clipboard).stem == "raw"


def test_copies_are_written_one_after_the_other_and_those_between_are_left(
    studio, qtbot, clipboard, writing
):
    until(qtbot, lambda: studio.last_frame.lanes[0].average is not None)
    for number, name in enumerate(("raw", "average", "raw")):
        studio.actions_by_name[f"copy_{name}"].trigger()
        until(qtbot, lambda number=number: len(STRAGGLERS) == number and bool(writing.begun))
    writing.goes_on.set()
    copied(qtbot, clipboard)
    until(qtbot, lambda: not STRAGGLERS)
    assert writing.begun == ["raw", "raw"]


def test_closing_leaves_a_copy_that_is_being_written(studio, qtbot, clipboard, writing):
    studio.actions_by_name["copy_raw"].trigger()
    until(qtbot, lambda: bool(writing.begun))
    studio.close()
    writing.goes_on.set()
    until(qtbot, lambda: not STRAGGLERS)
    assert not has_file(clipboard)


def test_a_folder_that_somebody_has_tidied_up_is_made_again():
    folder = CarriedFolder()
    first = folder.place()
    assert folder.place().parent == first.parent
    shutil.rmtree(first.parent)  # as systems do with old temporary files
    assert folder.place().is_dir()
    folder.remove()


def test_without_room_for_temporary_files_nothing_is_written_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(carry, "QTemporaryDir", lambda: QTemporaryDir("/dev/null/none"))
    with pytest.raises(StudioError, match="no room for temporary files"):
        CarriedFolder().place()
    assert not list(tmp_path.iterdir())


def test_copies_are_gone_once_the_window_is_closed(studio, qtbot, clipboard):
    studio.actions_by_name["copy_raw"].trigger()
    path = copied(qtbot, clipboard)
    assert path.exists()
    studio.close()
    assert not path.parent.parent.exists()


def test_a_drag_begins_once_its_file_is_there(studio, qtbot, monkeypatch, writing):
    begun = []
    monkeypatch.setattr(QDrag, "exec", lambda drag, *_: begun.append(drag.mimeData().urls()))
    monkeypatch.setattr(QApplication, "mouseButtons", lambda: Qt.MouseButton.LeftButton)
    paused(studio, qtbot)
    drag(studio.canvas, studio.canvas._panes.panes[0].center())
    qtbot.wait(0)
    assert begun == []
    writing.goes_on.set()
    until(qtbot, lambda: bool(begun))
    ((url,),) = begun
    assert compare(Path(url.toLocalFile())).identical


def test_a_right_click_offers_copying_and_saving(studio, qtbot):
    QTest.mouseClick(studio.canvas, Qt.MouseButton.RightButton)
    studio.canvas.contextMenuEvent(_Event(studio.canvas.mapToGlobal(QPoint(5, 5))))
    (menu,) = (m for m in studio.canvas.findChildren(QMenu) if m.isVisible())
    texts = [action.text() for action in menu.actions()]
    assert texts == [
        *("Copy Running Average", "Copy Raw Sample", "Export Picture…"),
        "Copy Link",
    ]
    menu.close()


class _Event:
    def __init__(self, at):
        self.globalPos = lambda: at


def test_an_image_that_is_shown_whole_is_dragged_out(studio, qtbot):
    heard = []
    studio.canvas.dragged.connect(heard.append)
    until(qtbot, lambda: studio.last_frame.lanes[0].average is not None)
    paused(studio, qtbot)
    for pane in studio.canvas._panes.panes:
        drag(studio.canvas, pane.center())
    assert heard == ["raw", "average"]


def test_an_enlarged_image_is_moved_instead(studio, qtbot):
    heard = []
    studio.canvas.dragged.connect(heard.append)
    studio.canvas.zoom_by(4)
    before = studio.canvas.view
    drag(studio.canvas, studio.canvas._panes.panes[0].center())
    assert heard == []
    assert studio.canvas.view != before


def drag(widget, start):
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
    for far in (4, 20, 40):
        move(widget, start + QPoint(far, 0))
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=start + QPoint(40, 0))


def move(widget, at):
    """Move the mouse with the button down, which `QTest.mouseMove` cannot."""
    from PyQt6.QtCore import QEvent, QPointF
    from PyQt6.QtGui import QMouseEvent

    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place = QPointF(at), QPointF(widget.mapToGlobal(at))
    widget.mouseMoveEvent(QMouseEvent(QEvent.Type.MouseMove, *place, left, left, none))
