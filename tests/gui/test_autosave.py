"""Sessions are kept while they run, and no start, opening or second studio loses one."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from threading import Event

import pytest
import torch
from PyQt6.QtCore import QSysInfo
from PyQt6.QtWidgets import QPushButton
from safetensors import SafetensorError

from gui.test_closing import PROGRAM, environment
from gui.windows import CPU, PATIENCE_MS, close_saved, open_in, paused, small_opening, until
from ldam_studio.gui.recent_sessions.feature import RecentSessions
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.session.shelf import MOST_SESSIONS, Shelf
from ldam_studio.gui.session.store import SessionStore
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network


@pytest.fixture
def store(tmp_path):
    return SessionStore(tmp_path / "state")


def opened(make_window, qtbot, store, neurons="fc2:0-3"):
    return open_in(make_window(store=store), qtbot, small_opening(neurons))


def again(make_window, qtbot, store):
    window = make_window(store=store)
    return open_in(window, qtbot, window.recall().opening)


def saved_now(window, qtbot):
    """Save the session as it is and wait until that is on the disk."""
    until(qtbot, window.autosave._saving.done)
    window.autosave.save()
    until(qtbot, window.autosave._saving.done)


def button(window, text):
    return next(b for b in window.banner.findChildren(QPushButton) if b.text() == text)


def shows_fc2(window):
    frame = window.last_frame
    return frame is not None and frame.lanes[0].neurons[0].layer == "fc2"


def recent(window):
    window.places.menu("File").aboutToShow.emit()
    return window.feature(RecentSessions).menu


def crash(window, store):
    """Leave the files of a window's session as if its process had been killed."""
    (folder,) = store.shelf.folder.iterdir()
    copy = folder.with_name("crashed")
    copy.mkdir()
    for file in folder.iterdir():
        if file.name != "lock":
            (copy / file.name).write_bytes(file.read_bytes())
    # Of a process that there is no more.
    (copy / "lock").write_text(f"{2**22 - 1}\npython\n{QSysInfo.machineHostName()}\n")
    return copy


KILLED = PROGRAM.replace(
    "opened(window, opening)\n",
    "opened(window, opening)\n"
    "    window.controller.opened.connect(lambda _: window.controller.set_value('l2', 0.25))\n"
    "    window.autosave._timer.setInterval(50)\n",
)


def wait_for(found, process):
    """Wait until `found` returns something, or the process has ended."""
    while not (value := found()):
        assert process.poll() is None, process.communicate()
        select.select([], [], [], 0.02)
    return value


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent another way there")
def test_after_a_kill_the_next_start_goes_on_where_the_session_was(make_window, qtbot, store):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        env=environment(store.folder.parent),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        # The third generation: the first ones may not have the change yet.
        files = wait_for(lambda: list(store.shelf.folder.glob("*/*3.ldam*")), process)
        assert store.shelf.sessions() == []  # while it runs, nobody else may have it
    finally:
        process.kill()
        process.communicate()
    assert files
    window = again(make_window, qtbot, store)
    (said,) = window.banner.texts()
    assert said.startswith("The studio did not close properly; this is the session of ")
    assert window.model.title == "Ten digits"
    assert window.model.outline.lane.settings.l2 == 0.25
    assert window.last_frame.step > 0
    # It goes on in the same place, and was closed properly the next time.
    close_saved(window, qtbot)
    ((kept,),) = store.shelf.sessions()
    assert kept.closed


def test_what_is_saved_is_the_session_bit_for_bit(make_window, qtbot, store):
    from ldam_studio.engine.serialise import to_tensors
    from ldam_studio.engine.state import snapshot
    from ldam_studio.export.session_file import read_session

    window = opened(make_window, qtbot, store)
    window.controller.set_value("temperature", 0.02)
    paused(window, qtbot)
    saved_now(window, qtbot)
    state = window.controller.ask(snapshot).result(20)
    newest = max(store.shelf.folder.glob("*/*.ldam*"))
    found = read_session(newest, CPU)
    assert found.step == state.step
    assert [entry.json() for entry in found.log] == [entry.json() for entry in state.log]
    tensors, before = to_tensors(found)[0], to_tensors(state)[0]
    assert tensors.keys() == before.keys()
    same = partial(torch.allclose, rtol=0, atol=0, equal_nan=True)
    assert [name for name in before if not same(tensors[name], before[name])] == []


def test_two_generations_are_kept_and_a_damaged_one_falls_back(make_window, qtbot, store):
    window = opened(make_window, qtbot, store)
    for value in (0.01, 0.02, 0.03):
        window.controller.set_value("temperature", value)
        saved_now(window, qtbot)
    copy = crash(window, store)
    close_saved(window, qtbot)
    files = sorted(copy.glob("*.ldam*"))
    assert len(files) == 2
    files[-1].write_bytes(b"half a fi")
    for other in store.shelf.sessions():
        if other[0].folder != copy:
            for file in other[0].folder.iterdir():
                file.unlink()
    back = again(make_window, qtbot, store)
    assert "damaged" in " ".join(back.banner.texts())
    assert back.model.outline.lane.settings.temperature == 0.02


def test_a_session_at_rest_is_not_written_again(make_window, qtbot, store):
    window = paused(opened(make_window, qtbot, store), qtbot)
    saved_now(window, qtbot)
    files = sorted(store.shelf.folder.glob("*/*"))
    saved_now(window, qtbot)
    assert sorted(store.shelf.folder.glob("*/*")) == files


def test_opening_another_keeps_the_one_before_also_over_the_next_start(make_window, qtbot, store):
    window = opened(make_window, qtbot, store)
    window.controller.set_value("l2", 0.25)
    open_in(window, qtbot, network_opening(open_network("lenet-averaged"), CPU))
    assert window.banner.texts() == (
        "The session before, Small, is kept among the recent sessions.",
    )
    close_saved(window, qtbot)
    back = again(make_window, qtbot, store)
    assert back.model.outline.lane.network.name == "lenet-averaged"
    (entry,) = recent(back).actions()
    assert entry.text().endswith("Small")
    entry.trigger()
    until(qtbot, lambda: shows_fc2(back))
    assert back.model.outline.lane.settings.l2 == 0.25


def test_going_back_at_once_goes_on_in_the_same_place(make_window, qtbot, store):
    window = opened(make_window, qtbot, store)
    saved_now(window, qtbot)
    open_in(window, qtbot, network_opening(open_network("lenet-averaged"), CPU))
    button(window, "Back to Small").click()
    until(qtbot, lambda: shows_fc2(window))
    close_saved(window, qtbot)
    titles = [session[0].note.title for session in store.shelf.sessions()]
    assert titles == ["Small", "lenet-averaged"]


def test_closing_while_another_session_opens_keeps_the_running_one(make_window, qtbot, store):
    window = opened(make_window, qtbot, store)
    window.open(small_opening("fc1:0"))
    close_saved(window, qtbot)
    back = again(make_window, qtbot, store)
    assert back.model.outline.lane.neurons == tuple(Neuron("fc2", i) for i in range(4))
    assert back.banner.texts() == ()


def test_a_crash_while_another_session_opens_is_said(make_window, qtbot, store):
    window = opened(make_window, qtbot, store)
    saved_now(window, qtbot)
    may_open = Event()

    def make():
        assert may_open.wait(PATIENCE_MS / 1000)
        return small_opening("fc1:0").make()

    window.open(replace(small_opening(), title="Other", make=make))
    until(qtbot, lambda: window.autosave._before is not None)
    copy = crash(window, store)
    may_open.set()
    until(qtbot, lambda: window.autosave._runner is not None)
    close_saved(window, qtbot)
    closed = {session[0].folder == copy: session[0].closed for session in store.shelf.sessions()}
    assert closed == {True: False, False: True}


def test_two_studios_have_a_session_each(make_window, qtbot, store):
    first = opened(make_window, qtbot, store, "fc2:0")
    saved_now(first, qtbot)
    second = make_window(store=SessionStore(store.folder))
    assert second.recall().opening.title == "Ten digits"  # the first one is running elsewhere
    open_in(second, qtbot, small_opening("fc1:0"))
    close_saved(second, qtbot)
    close_saved(first, qtbot)
    layers = {
        json.loads(kept.file.with_name(kept.file.name[:6] + ".json").read_text())["closed"]
        and read_layer(kept)
        for (kept,) in store.shelf.sessions()
    }
    assert layers == {"fc1", "fc2"}


def read_layer(kept):
    from ldam_studio.export.session_file import read_session

    return read_session(kept.file, CPU).lane.neurons[0].layer


def test_a_crashed_session_is_offered_also_where_a_later_one_was_closed(make_window, qtbot, store):
    window = opened(make_window, qtbot, store)
    saved_now(window, qtbot)
    crash(window, store)
    close_saved(window, qtbot)
    back = again(make_window, qtbot, store)
    (said,) = back.banner.texts()
    assert said.startswith("The studio did not close properly at ")
    button(back, "Continue it").click()
    until(qtbot, lambda: back.controller.current.kept is not None)
    assert back.controller.current.kept.name == "crashed"


def test_what_is_offered_says_that_it_runs_own_code(make_window, qtbot, store):
    window = opened(make_window, qtbot, store)
    saved_now(window, qtbot)
    copy = crash(window, store)
    for file in copy.glob("*.json"):
        note = json.loads(file.read_text())
        note["note"]["code"] = "mine.py:model"
        file.write_text(json.dumps(note))
    close_saved(window, qtbot)
    (said,) = again(make_window, qtbot, store).banner.texts()
    assert said.endswith("that session can go on. It runs your own code, mine.py:model.")


def test_a_clock_that_was_wrong_does_not_put_a_session_first(make_window, qtbot, store):
    window = opened(make_window, qtbot, store)
    saved_now(window, qtbot)
    copy = crash(window, store)
    for file in copy.glob("*.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"saved": time.time() + 1e6}))
    close_saved(window, qtbot)
    first, last = store.shelf.sessions()
    assert first[0].folder != copy and last[0].folder == copy


def test_old_sessions_make_room_for_new_ones(make_window, qtbot, store, monkeypatch):
    window = opened(make_window, qtbot, store)
    saved_now(window, qtbot)
    copy = crash(window, store)
    close_saved(window, qtbot)
    for number in range(MOST_SESSIONS + 3):
        other = copy.with_name(f"more-{number}")
        other.mkdir()
        for file in copy.iterdir():
            (other / file.name).write_bytes(file.read_bytes())
    # The oldest one is taken by another studio just when room is made.
    found = store.shelf.sessions()
    taken = store.shelf.take(found[-1][0].folder)
    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "sessions", lambda shelf: found)
        store.shelf.tidy()
    assert any(taken.folder.glob("*.ldam*"))
    taken.leave()
    place = Shelf(store.shelf.folder).begin()
    assert len(store.shelf.sessions()) == MOST_SESSIONS - 1
    place.leave()
    assert not place.folder.exists()  # nothing was saved in it


def test_sessions_that_nobody_worked_on_make_room_first(make_window, qtbot, store):
    window = opened(make_window, qtbot, store)
    window.controller.set_value("l2", 0.25)
    paused(window, qtbot)
    saved_now(window, qtbot)
    changed = crash(window, store)
    for _ in range(2):
        open_in(window, qtbot, small_opening("fc1:0"))
    close_saved(window, qtbot)
    untouched = store.shelf.sessions()[0][0].folder
    for number in range(MOST_SESSIONS):
        other = untouched.with_name(f"more-{number}")
        other.mkdir()
        for file in untouched.iterdir():
            (other / file.name).write_bytes(file.read_bytes())
    store.shelf.tidy()
    left = store.shelf.sessions()
    assert len(left) == MOST_SESSIONS - 1
    assert changed in [session[0].folder for session in left]
    # The session that was left when the other ones were opened was changed, too.
    assert sum(session[0].worked_on for session in left) == 2


def test_a_session_that_ran_for_a_minute_was_worked_on(make_window, qtbot, store, monkeypatch):
    monkeypatch.setattr("ldam_studio.gui.session.shelf.BRIEF_S", 0)
    close_saved(opened(make_window, qtbot, store), qtbot)
    monkeypatch.undo()
    close_saved(again(make_window, qtbot, store), qtbot)
    ((kept,),) = store.shelf.sessions()
    assert kept.worked_on


def test_the_next_start_removes_what_a_killed_studio_was_writing(make_window, qtbot, store):
    window = opened(make_window, qtbot, store)
    saved_now(window, qtbot)
    (folder,) = store.shelf.folder.iterdir()
    running = folder / ".000009.ldam-session.safetensors.0123456789ab"
    half = crash(window, store) / running.name
    old, young = (store.folder / f".window.json.{digit * 12}" for digit in "ab")
    for path in (running, half, old, young):
        path.write_bytes(b"half a fi")
    os.utime(old, (0, 0))
    SessionStore(store.folder).recall(CPU)
    assert [p.exists() for p in (running, half, old, young)] == [True, False, False, True]


def test_a_session_that_another_studio_removes_meanwhile_is_passed_over(
    make_window, qtbot, store, monkeypatch
):
    window = opened(make_window, qtbot, store)
    saved_now(window, qtbot)
    copy = crash(window, store)
    take = Shelf.take

    def late(shelf, folder):
        place = take(shelf, folder)
        if folder == copy:
            shutil.rmtree(copy)
        return place

    monkeypatch.setattr(Shelf, "take", late)
    assert store.shelf.sessions() == []


def test_where_sessions_cannot_be_kept_that_is_said(make_window, qtbot, store):
    store.folder.mkdir(parents=True)
    store.shelf.folder.write_text("a file in the way")
    window = opened(make_window, qtbot, store)
    until(qtbot, lambda: window.banner.texts() != ())
    (said,) = window.banner.texts()
    assert said.startswith("The session is not kept at present: ")


def test_a_session_that_was_not_saved_is_not_said_to_be_kept(make_window, qtbot, store):
    store.folder.mkdir(parents=True)
    store.shelf.folder.write_text("a file in the way")
    window = opened(make_window, qtbot, store)
    open_in(window, qtbot, small_opening("fc1:0"))
    until(qtbot, lambda: "until the studio is closed" in " ".join(window.banner.texts()))
    assert "kept among" not in " ".join(window.banner.texts())
    button(window, "Back to Small").click()
    until(qtbot, lambda: shows_fc2(window))


def test_a_full_disk_is_said_in_plain_words(make_window, qtbot, store, monkeypatch):
    def full(*_):
        raise SafetensorError("Error while serializing: I/O error: No space (os error 28)")

    monkeypatch.setattr("ldam_studio.export.session_file.save_file", full)
    window = opened(make_window, qtbot, store)
    until(qtbot, lambda: window.banner.texts() != ())
    assert "cannot be written (No space left on device)" in window.banner.texts()[0]
