"""The filmstrip in the window: pinning, going back, comparing, and what stays after a restart."""

from __future__ import annotations

import threading
from pathlib import Path

import torch
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QDrag
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QFileDialog, QLineEdit

from gui.windows import close_saved, compare_with_itself, open_in, paused, small_opening, until
from ldam_studio.engine.description import describe, parse_session
from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.export.filmstrip.folder import Filmstrip
from ldam_studio.export.replay import compare
from ldam_studio.gui.filmstrip import feature as feature_module
from ldam_studio.gui.filmstrip.beside import Beside
from ldam_studio.gui.filmstrip.feature import FilmstripTab
from ldam_studio.gui.filmstrip.words import differences
from ldam_studio.gui.session.shelf import Shelf
from ldam_studio.gui.session.store import SessionStore

Key, Button, Modifier = Qt.Key, Qt.MouseButton, Qt.KeyboardModifier


def film_of(window):
    return window.feature(FilmstripTab)


def pins_of(window):
    return film_of(window).panel.pins.pins


def written(window, qtbot):
    until(qtbot, lambda: film_of(window).keeper.waiting == 0)


def pin(window, qtbot):
    """Pin the present moment of a paused session, and return its state."""
    count = len(pins_of(window))
    film_of(window).pin()
    until(qtbot, lambda: len(pins_of(window)) == count + 1)
    written(window, qtbot)
    return state_of(window)


def state_of(window):
    return window.controller.ask(snapshot).result(30)


def steps(window, qtbot, count):
    for _ in range(count):
        step = window.last_frame.step
        window.controller.step()
        until(qtbot, lambda step=step: window.last_frame.step > step)


def restore(window, qtbot, row):
    """Go back to a pin by the keyboard, and wait until the window shows it."""
    strip, then = film_of(window).panel.strip, pins_of(window)[row]
    strip.choose(row)
    QTest.keyClick(strip, Key.Key_Return)
    until(qtbot, lambda: window.last_frame.step == then.step)


def test_a_click_goes_back_to_exactly_that_moment_and_undo_to_the_present(studio, qtbot):
    paused(studio, qtbot)
    then = pin(studio, qtbot)
    steps(studio, qtbot, 4)
    studio.controller.set_value("temperature", 0.7)
    compare_with_itself(studio, qtbot)
    steps(studio, qtbot, 2)
    now = state_of(studio)
    studio.controller.set_front(2)
    restore(studio, qtbot, 0)
    assert studio.model.front == 0
    assert not studio.model.is_comparing and studio.model.outline == then.outline
    steps(studio, qtbot, 4)
    again = state_of(studio)
    # The same steps as after the pin, with the temperature that it had.
    studio.actions_by_name["undo"].trigger()
    until(qtbot, lambda: studio.last_frame.step == now.step)
    assert studio.model.is_comparing and studio.model.front == 2
    for one, two in zip(state_of(studio).lanes, now.lanes, strict=True):
        assert torch.equal(one.chains.x, two.chains.x)
    studio.actions_by_name["redo"].trigger()
    until(qtbot, lambda: studio.last_frame.step == then.step)
    steps(studio, qtbot, 4)
    assert torch.equal(state_of(studio).lane.chains.x, again.lane.chains.x)
    assert torch.equal(state_of(studio).lane.average.mean, again.lane.average.mean)


def test_the_first_pin_shows_the_tab_and_later_ones_say_so_where_it_is_hidden(
    studio, qtbot, monkeypatch
):
    monkeypatch.setattr(feature_module, "HELD_MS", 60_000)
    panel = film_of(studio).panel
    assert not panel.isVisible() and "Press P" in feature_module.words.EMPTY
    studio.canvas.setFocus()
    QTest.keyClick(studio.canvas, Key.Key_P)
    until(qtbot, lambda: len(pins_of(studio)) == 1)
    assert panel.isVisible()
    QTest.keyClick(studio.canvas, Key.Key_P)  # as a held key sends it, where repeats are not told
    written(studio, qtbot)
    assert len(pins_of(studio)) == 1
    paused(studio, qtbot)
    QTest.keyClick(panel.strip, Key.Key_Space)
    until(qtbot, lambda: studio.model.run_state.value != "paused")
    studio.panels.tabs.setCurrentIndex(0)
    pin(studio, qtbot)
    assert any(text.startswith("Pinned step ") for text in studio.banner.texts())


def test_the_filmstrip_is_there_after_a_restart_and_goes_with_its_session(
    make_window, qtbot, tmp_path, monkeypatch
):
    store = SessionStore(tmp_path / "state")
    window = open_in(make_window(store=store), qtbot, small_opening())
    paused(window, qtbot)
    pin(window, qtbot)
    pin(window, qtbot)
    pins = film_of(window).panel.pins
    pins.star(1)
    pins.shift(1, -1)
    assert pins.setData(pins.index(0), "as it was")
    kept = pins.pins
    film_of(window).pin()  # it is still being written while the window closes
    until(qtbot, lambda: len(pins_of(window)) == 3)
    close_saved(window, qtbot)
    window = make_window(store=store)
    goes_on, read = threading.Event(), Filmstrip.read

    def slow(film):
        assert goes_on.wait(30)
        return read(film)

    with monkeypatch.context() as patch:
        patch.setattr(Filmstrip, "read", slow)
        open_in(window, qtbot, window.recall().opening)
        film_of(window).pin()  # a list with this pin alone would leave out the others
        until(qtbot, lambda: bool(film_of(window)._looks))
        goes_on.set()
        until(qtbot, lambda: len(pins_of(window)) == 4)
    written(window, qtbot)
    found = window.studio.session_folder.submit(lambda folder: Filmstrip(folder).read()).result(30)
    assert tuple(each.pin for each in found[0]) == pins_of(window)
    assert pins_of(window)[:2] == kept and kept[0].star and kept[0].note == "as it was"
    paused(window, qtbot)
    restore(window, qtbot, 0)
    close_saved(window, qtbot)
    (session,) = Shelf(store.shelf.folder).sessions()
    place = store.shelf.take(session[0].folder)
    place.remove()
    assert not list(store.shelf.folder.iterdir())


def test_nothing_comes_back_to_a_filmstrip_that_was_closed(studio, qtbot):
    open_in(studio, qtbot, small_opening())
    written(studio, qtbot)
    keeper, came = film_of(studio).keeper, []
    keeper.do(lambda _film: "late", came.append)
    (job,) = keeper._waiting
    assert job.result(30) == "late"
    keeper.leave()
    QApplication.processEvents()
    assert not came and not keeper.waiting


def test_the_shelf_removes_no_folder_that_a_link_leads_to(tmp_path):
    place = Shelf(tmp_path / "shelf").begin()
    (place.folder / "filmstrip").mkdir()
    (place.folder / "filmstrip" / "a.png").write_bytes(b"x" * 1000)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").write_text("mine")
    (place.folder / "filmstrip-deleted").symlink_to(tmp_path / "other")
    place.remove()
    assert (tmp_path / "other" / "mine").exists() and not place.folder.exists()


def test_notes_are_written_in_place_and_a_deleted_pin_is_brought_back_by_undo(studio, qtbot):
    pin(studio, qtbot)
    strip = film_of(studio).panel.strip
    strip.setFocus()
    step = studio.last_frame.step
    QTest.keyClick(strip, Key.Key_F2)
    field = strip.findChild(QLineEdit)
    QTest.keyClicks(field, "so it was")
    QTest.keyClick(field, Key.Key_Return)
    until(qtbot, lambda: pins_of(studio)[0].note == "so it was")
    QTest.keyClick(strip, Key.Key_S)
    assert pins_of(studio)[0].star
    # The Enter that ended the note did not go back.
    written(studio, qtbot)
    until(qtbot, lambda: studio.last_frame.step > step)
    undo, redo = studio.actions_by_name["undo"], studio.actions_by_name["redo"]
    assert undo.text() == "Undo Star Pin"
    undo.trigger()
    assert (pins_of(studio)[0].star, pins_of(studio)[0].note) == (False, "so it was")
    undo.trigger()
    assert pins_of(studio)[0].note == "" and not undo.isEnabled()
    redo.trigger()
    redo.trigger()
    assert (pins_of(studio)[0].star, pins_of(studio)[0].note) == (True, "so it was")
    for _ in range(2):
        pin(studio, qtbot)
    before = pins_of(studio)
    strip.choose(0)
    QTest.keyClick(strip, Key.Key_Right, Modifier.AltModifier)
    assert pins_of(studio) == (before[1], before[0], before[2])
    undo.trigger()
    assert pins_of(studio) == before and strip.currentIndex().row() == 0
    strip.choose(1)
    QTest.keyClick(strip, Key.Key_Delete)
    assert pins_of(studio) == (before[0], before[2])
    studio.actions_by_name["undo"].trigger()
    assert pins_of(studio) == before
    studio.actions_by_name["redo"].trigger()
    studio.actions_by_name["undo"].trigger()
    written(studio, qtbot)
    found = studio.studio.session_folder.submit(lambda folder: Filmstrip(folder).read()).result(30)
    assert [each.pin for each in found[0]] == list(before) and found[1] == []


def test_a_burst_is_bounded_and_a_pin_that_cannot_be_written_is_one_sentence(
    studio, qtbot, monkeypatch
):
    goes_on, add = threading.Event(), Filmstrip.add

    def slow(film, *given):
        assert goes_on.wait(30)
        add(film, *given)

    monkeypatch.setattr(Filmstrip, "add", slow)
    monkeypatch.setattr(feature_module, "MOST_WAITING", 4)
    for _ in range(4):
        count = len(pins_of(studio))
        film_of(studio).pin()
        until(qtbot, lambda count=count: len(pins_of(studio)) == count + 1)
    film_of(studio).pin()
    assert any("still being written" in text for text in studio.banner.texts())
    step = studio.last_frame.step
    until(qtbot, lambda: studio.last_frame.step > step)
    goes_on.set()
    written(studio, qtbot)
    assert len(pins_of(studio)) == 4

    def full(*_given):
        raise StudioError("There is no space left.")

    monkeypatch.setattr(Filmstrip, "add", full)
    film_of(studio).pin()
    said = "The moment was not pinned: There is no space left."
    until(qtbot, lambda: said in studio.banner.texts())
    assert len(pins_of(studio)) == 4
    monkeypatch.setattr(feature_module, "MOST_PINS", 0)
    film_of(studio).pin()
    assert any("filmstrip is full" in text for text in studio.banner.texts())


def test_a_double_click_shows_a_pin_beside_the_present(studio, qtbot):
    paused(studio, qtbot)
    pin(studio, qtbot)
    studio.controller.set_value("temperature", 0.25)
    strip = film_of(studio).panel.strip
    place = strip.visualRect(strip.currentIndex()).topLeft() + QPoint(20, 20)
    port = strip.viewport()
    pins = film_of(studio).panel.pins
    QTest.mouseClick(port, Button.LeftButton, pos=place)
    assert pins.is_going_back(pins.pins[0])  # said at once, while a second click may come
    QTest.mouseDClick(port, Button.LeftButton, pos=place)
    QTest.mouseRelease(port, Button.LeftButton, pos=place)
    until(qtbot, lambda: film_of(studio)._beside is not None)
    assert not strip._click.isActive() and not pins.is_going_back(pins.pins[0])
    (view,) = studio.canvas.findChildren(Beside)
    until(qtbot, lambda: view._differences.text().endswith(" → 0.25"))
    assert view._differences.text().startswith("Then → now: Temperature ")
    QTest.keyClick(view, Key.Key_Escape)
    until(qtbot, lambda: not studio.canvas.findChildren(Beside))
    QTest.mouseClick(port, Button.LeftButton, pos=place)
    until(qtbot, lambda: studio.model.outline.lane.settings.temperature != 0.25)
    assert not pins.is_going_back(pins.pins[0])


def test_pins_are_dragged_out_and_exported_as_pictures_that_replay(
    studio, qtbot, monkeypatch, tmp_path
):
    paused(studio, qtbot)
    pin(studio, qtbot)
    begun = []
    monkeypatch.setattr(QDrag, "exec", lambda drag, *_: begun.append(drag.mimeData().urls()))
    monkeypatch.setattr(QApplication, "mouseButtons", lambda: Button.LeftButton)
    film = film_of(studio)
    film.carrying.drag(pins_of(studio)[0])
    until(qtbot, lambda: bool(begun))
    ((url,),) = begun
    path = Path(url.toLocalFile())
    assert path.name.startswith("001-0-fc3-0-step-") and compare(path).identical
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    studio.actions_by_name["export_filmstrip"].trigger()
    until(qtbot, lambda: f"Saved 1 pin in {tmp_path}" in " ".join(studio.banner.texts()))
    assert compare(tmp_path / path.name).identical


def test_differences_are_told_in_words():
    outline = small_opening().make().outline
    description = describe(outline)
    assert differences(parse_session(description), outline) == "All settings are the same."
    description["lanes"][0]["network"] = dict(description["lanes"][0]["network"], name="other")
    assert differences(parse_session(description), outline) == "Then → now: network other → lenet"
