"""Starting, failing, closing, and finding the session again."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import QTimer

from gui.windows import close_saved, compare_with_itself, open_in, paused, small_opening, until
from ldam_studio.errors import StudioError
from ldam_studio.gui.app import display
from ldam_studio.gui.app.display import no_display
from ldam_studio.gui.app.failures import Failures
from ldam_studio.gui.session.model import SIGNED, Display
from ldam_studio.gui.session.openings import Opening
from ldam_studio.gui.session.store import SessionStore
from ldam_studio.gui.stragglers import STRAGGLERS
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from thinned import one_in

ROOT = Path(__file__).parents[2]
SOON = 5.0  # seconds; a second on a machine that does nothing else


def timed_close(window, qtbot):
    started = time.perf_counter()
    window.close()
    until(qtbot, window.isHidden)
    return time.perf_counter() - started


def environment(tmp_path, **changes):
    env = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "LDAM_STATE_DIR": str(tmp_path / "state"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    env |= {k: v for k, v in changes.items() if v is not None}
    return {k: v for k, v in env.items() if changes.get(k, "") is not None}


# Closing


@pytest.mark.thorough
def test_closing_in_a_burst_of_changes_ends_soon(studio, qtbot):
    networks = [open_network("lenet"), open_network("lenet-averaged")]
    layers = ("fc3", "conv1", "fc1", "conv2")
    for i in range(60):
        studio.controller.set_neurons(Neuron(layers[i % 4], i % 6))
        studio.controller.set_network(networks[i % 2])
        studio.controller.set_value("temperature", 0.01 + i / 1e4)
        studio.controller.set_value("chains", 2 + i % 5)
    assert timed_close(studio, qtbot) < SOON
    assert studio.controller._threads == []
    until(qtbot, lambda: not STRAGGLERS)


def test_closing_while_the_discriminator_learns(make_window, qtbot):
    window = open_in(make_window(), qtbot, small_opening(discriminator=True))
    window.controller.set_value("learn_every", 1)
    until(qtbot, lambda: window.last_frame.lesson is not None)
    assert timed_close(window, qtbot) < SOON


def test_closing_while_a_session_opens(make_window, qtbot):
    window = make_window()
    window.open(small_opening())
    window.show()
    assert timed_close(window, qtbot) < SOON


def test_closing_while_paused(studio, qtbot):
    paused(studio, qtbot)
    assert timed_close(studio, qtbot) < SOON


def test_changing_sessions_quickly_leaves_one_thread(studio, qtbot):
    for _ in range(5):
        studio.open(small_opening("fc2:0-1"))
    until(qtbot, lambda: len(studio.controller._threads) == 1)
    until(
        qtbot,
        lambda: (
            studio.last_frame is not None and studio.last_frame.lanes[0].neurons[0].layer == "fc2"
        ),
    )


# Closing while the sampler is busy


@pytest.fixture
def busy(make_window, qtbot, tmp_path):
    """Give a window that remembers, over a sampler in a step that ends when `ends` is set."""
    window = open_in(make_window(store=SessionStore(tmp_path)), qtbot, small_opening("fc2:0-3"))
    window.ends, begun = threading.Event(), threading.Event()

    def step(_state):
        begun.set()
        window.ends.wait(60)

    window.controller.ask(step)
    until(qtbot, begun.is_set)
    yield window
    window.ends.set()


def started_again(window, make_window, qtbot):
    again = make_window(store=window.store)
    return open_in(again, qtbot, again.recall().opening)


def test_closing_waits_for_a_long_step_and_the_window_lives_meanwhile(busy, make_window, qtbot):
    alive, stood = [], time.perf_counter()
    assert not busy.close()
    assert time.perf_counter() - stood < SOON
    QTimer.singleShot(0, lambda: alive.append(True))
    until(qtbot, lambda: bool(alive))
    assert busy.isVisible()
    (said,) = busy.banner.texts()
    assert "closes once the current step has ended" in said
    assert not busy.actions_by_name["open_network"].isEnabled()
    busy.ends.set()
    until(qtbot, busy.isHidden)
    again = started_again(busy, make_window, qtbot)
    assert again.model.outline.lane.neurons == tuple(Neuron("fc2", i) for i in range(4))
    assert again.banner.texts() == ()


def test_closing_again_leaves_and_the_next_start_says_so(busy, make_window, qtbot, capsys):
    assert not busy.close()
    assert busy.close()
    assert busy.isHidden()
    assert "was not saved" in capsys.readouterr().err
    busy.ends.set()
    again = started_again(busy, make_window, qtbot)
    (said,) = again.banner.texts()
    assert said.startswith("The last session was not saved at its end (the studio was clos")
    # Once is enough.
    close_saved(again, qtbot)
    assert started_again(busy, make_window, qtbot).banner.texts() == ()


@pytest.mark.thorough
def test_what_is_posted_all_the_time_does_not_keep_the_session_from_being_saved(
    make_window, qtbot, tmp_path
):
    window = open_in(make_window(store=SessionStore(tmp_path)), qtbot, small_opening())
    for i in range(200):
        window.controller.set_neurons(Neuron("fc2", i % 6))
    close_saved(window, qtbot)
    again = started_again(window, make_window, qtbot)
    assert again.model.outline.lane.neurons[0] == Neuron("fc2", 199 % 6)


def test_after_an_error_has_ended_the_sampler_closing_saves_the_session(
    make_window, qtbot, tmp_path, monkeypatch, capsys
):
    def breaks():
        raise ValueError("three is not four")

    window = open_in(make_window(store=SessionStore(tmp_path)), qtbot, small_opening("fc2:0-3"))
    runner = window.controller.runner
    monkeypatch.setattr(runner, "_serve_frame", breaks)
    until(qtbot, lambda: "The sampler stopped" in "".join(window.banner.texts()))
    step = runner.left.result(0).step
    close_saved(window, qtbot)
    assert "was not saved" not in capsys.readouterr().err
    again = started_again(window, make_window, qtbot)
    assert again.last_frame.step >= step
    until(qtbot, lambda: again.last_frame.step > step)
    assert again.banner.texts() == ()
    assert again.model.outline.lane.neurons == tuple(Neuron("fc2", i) for i in range(4))


# Failing


def test_an_exception_in_a_slot_is_one_sentence(studio, qtbot, capsys):
    def broken():
        raise ValueError("three is not four")

    with qtbot.capture_exceptions() as caught, Failures(studio.banner.say):
        QTimer.singleShot(0, broken)
        until(qtbot, lambda: studio.banner.texts() != ())
    assert caught == []
    (text,) = studio.banner.texts()
    assert "ValueError: three is not four" in text
    assert "\n" not in text
    assert "Traceback" in capsys.readouterr().err
    step = studio.last_frame.step
    until(qtbot, lambda: studio.last_frame.step > step)


def test_a_session_that_cannot_open_says_why(make_window, qtbot):
    def make():
        raise StudioError("The weights are somewhere else; put them here.")

    window = make_window()
    window.show()
    window.open(Opening("Broken", make))
    until(qtbot, lambda: window.banner.texts() != ())
    assert window.banner.texts() == ("The weights are somewhere else; put them here.",)
    # The studio goes on: another session opens in the same window.
    open_in(window, qtbot, small_opening())


def test_exploding_chains_pause_and_say_what_to_lower(studio, qtbot):
    studio.controller.set_value("mode", "exact")
    # The window limits such values; a saved session may have them.
    studio.controller.runner.post("l2", 1000.0)
    studio.controller.runner.post("step_size", 10.0)
    until(qtbot, lambda: studio.model.run_state.value == "paused")
    until(qtbot, lambda: studio.banner.texts() != ())
    assert "lower the L2 weight or the step size" in studio.banner.texts()[0]
    studio.controller.set_value("step_size", 0.1)
    studio.controller.set_value("l2", 0.5)
    studio.controller.play()
    step = studio.last_frame.step
    until(qtbot, lambda: studio.last_frame.step > step)


# Remembering


def test_the_session_is_there_at_the_next_start(make_window, qtbot, tmp_path):
    store = SessionStore(tmp_path)
    window = open_in(make_window(store=store), qtbot, small_opening("fc2:0-3"))
    window.controller.set_value("temperature", 0.02)
    window.controller.set_front(2)
    window.controller.set_display(Display(SIGNED, 0.5))
    until(qtbot, lambda: window.last_frame.step > 20)
    window.set_theme("light")
    window.resize(730, 640)
    size, step = window.size(), window.last_frame.step
    assert timed_close(window, qtbot) < SOON

    again = make_window(store=store)
    opening = again.recall().opening
    assert again.size() == size
    assert again.presentation.theme_choice == "light"
    open_in(again, qtbot, opening)
    assert again.last_frame.step >= step
    assert again.model.outline.lane.settings.temperature == 0.02
    assert again.model.outline.lane.neurons == tuple(Neuron("fc2", i) for i in range(4))
    assert again.model.front == 2
    assert again.model.display == Display(SIGNED, 0.5)
    assert again.banner.texts() == ()


@pytest.mark.parametrize("damage", one_in(3, [b"\x10" + b"\0" * 7 + b"{}", b"", b"nonsense"]))
def test_a_damaged_session_is_one_sentence_and_a_fresh_start(make_window, qtbot, tmp_path, damage):
    store = SessionStore(tmp_path)
    window = open_in(make_window(store=store), qtbot, small_opening())
    close_saved(window, qtbot)
    store.shelf.sessions()[0][0].file.write_bytes(damage)
    again = make_window(store=store)
    open_in(again, qtbot, again.recall().opening)
    assert again.model.title == "Ten digits"
    (text,) = again.banner.texts()
    assert "damaged" in text


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"version": 2}', '{"version": 1}', '{"version": 1, "window": 3, "session": null}'],
)
def test_a_damaged_window_file_is_set_aside_with_a_sentence(make_window, tmp_path, text):
    store = SessionStore(tmp_path)
    store.window_file.write_text(text)
    window = make_window(store=store)
    assert window.recall().opening.title == "Ten digits"
    (said,) = window.banner.texts()
    assert "set aside as window.kept.json" in said
    assert (tmp_path / "window.kept.json").read_text() == text


def test_what_version_0_1_0_remembered_is_taken_over(make_window, qtbot, tmp_path):
    store = SessionStore(tmp_path)
    window = open_in(make_window(store=store), qtbot, small_opening())
    compare_with_itself(window, qtbot)
    close_saved(window, qtbot)
    written = json.loads(store.window_file.read_text())
    kept = store.shelf.sessions()[0][0]
    note = json.loads(kept.file.with_name(kept.file.name.split(".")[0] + ".json").read_text())[
        "note"
    ]
    kept.file.replace(store.former_session)
    new = ("features", "lane_titles")
    session = {name: value for name, value in note.items() if name not in new}
    session |= {"watched": str(tmp_path), "watched_as": "lenet", "second_title": "epoch 3"}
    store.window_file.write_text(json.dumps(written | {"session": session}))
    again = make_window(store=store)
    recalled = again.recall()
    assert recalled.network == "lenet"
    open_in(again, qtbot, recalled.opening)
    assert again.model.title == "Small"
    assert again.model.lane_titles() == {1: "epoch 3"}
    (said,) = again.banner.texts()
    assert said.endswith("were watched when the studio was closed.")


@pytest.mark.parametrize("place", [5, [], "\0", "x" * 10_000])
def test_what_was_watched_may_be_anything(make_window, qtbot, place):
    opening = replace(small_opening(), remembered={"watching": {"place": place, "network": []}})
    window = open_in(make_window(), qtbot, opening)
    assert window.banner.texts() == ()


def test_nothing_remembered_is_no_complaint(make_window, tmp_path):
    store = SessionStore(tmp_path / "new")
    window = make_window(store=store)
    assert window.recall().opening.title == "Ten digits"
    assert window.banner.texts() == ()


def test_a_window_whose_session_cannot_be_written_stays_open_once(
    make_window, qtbot, tmp_path, capsys
):
    (tmp_path / "file").write_text("in the way")
    store = SessionStore(tmp_path / "file" / "below")
    window = open_in(make_window(store=store), qtbot, small_opening())
    assert not window.close()
    assert not window.isHidden()
    assert not window.actions_by_name["open_network"].isEnabled()
    assert window.banner.texts()[-1].startswith("The session was not saved: ")
    assert window.close()
    assert window.isHidden()
    assert "was not saved" in capsys.readouterr().err


def test_a_session_that_can_be_written_at_the_second_try_is_saved(make_window, qtbot, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("in the way")
    store = SessionStore(in_the_way / "below")
    window = open_in(make_window(store=store), qtbot, small_opening("fc2:0-3"))
    window.controller.set_value("l2", 0.25)
    assert not window.close()
    in_the_way.unlink()
    assert window.close()
    again = started_again(window, make_window, qtbot)
    assert again.model.outline.lane.settings.l2 == 0.25
    assert again.banner.texts() == ()


def test_a_session_that_cannot_be_written_down_does_not_keep_the_window(
    make_window, qtbot, tmp_path, capsys, monkeypatch
):
    def cannot(*_, **__):
        raise ValueError("Out of range float values are not JSON compliant")

    monkeypatch.setattr("ldam_studio.gui.session.shelf.save_session", cannot)
    window = open_in(make_window(store=SessionStore(tmp_path)), qtbot, small_opening())
    assert timed_close(window, qtbot) < SOON
    assert "was not saved: Out of range" in capsys.readouterr().err


# The program

PROGRAM = """
import sys
import time
from ldam_studio.cli import main
from ldam_studio.gui.window.window import StudioWindow
opened = StudioWindow.open
def watch(window, opening):
    window.first_frame.connect(lambda: print("moving", flush=True))
    opened(window, opening)
StudioWindow.open = watch
code = main(["studio"])
print(time.time(), flush=True)
sys.exit(code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent another way there")
@pytest.mark.parametrize("number", one_in(2, [signal.SIGINT, signal.SIGTERM]))
def test_ctrl_c_closes_and_saves_soon(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        ready, _, _ = select.select([process.stdout], [], [], 60)
        assert ready, "no frame came"
        assert process.stdout.readline() == "moving\n"
        sent = time.time()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    assert "Traceback" not in err
    ((kept,),) = SessionStore(tmp_path / "state").shelf.sessions()
    assert kept.note.title == "Ten digits"
    assert kept.closed
    # Python's own end, which follows, takes as long as it takes to forget torch.
    assert float(out) - sent < SOON


@pytest.mark.skipif(sys.platform != "linux", reason="only there the display is a variable")
def test_without_a_display_it_runs_offscreen_and_says_where(tmp_path):
    out = tmp_path / "pictures"
    done = subprocess.run(
        [sys.executable, "-m", "ldam_studio", "studio", "--seconds", "0.5", "--out", str(out)],
        env=environment(tmp_path, QT_QPA_PLATFORM=None, DISPLAY=None, WAYLAND_DISPLAY=None),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "there is no display" in done.stdout.lower()
    assert str(out / "average.png") in done.stdout
    assert (out / "average.png").stat().st_size > 100
    assert (out / "screenshot.png").stat().st_size > 1000


@pytest.mark.skipif(sys.platform != "linux", reason="only there the display is a variable")
def test_no_display_is_told_before_qt_ends_the_process(monkeypatch):
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert "there is no display" in no_display()
    monkeypatch.setenv("DISPLAY", ":4711")
    assert "does not answer" in no_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert no_display() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="only there the display is a variable")
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"WAYLAND_DISPLAY": "wayland-47"}, "the display wayland-47 does not answer"),
        ({"WAYLAND_DISPLAY": "w" * 300}, "the display w"),
        ({"WAYLAND_DISPLAY": "wayland-47", "DISPLAY": ":4711"}, "the display :4711 does not"),
        ({"DISPLAY": ":nonsense"}, "the display :nonsense does not answer"),
        ({"QT_QPA_PLATFORM": "nonsense"}, "names 'nonsense', but Qt has only"),
        ({"QT_QPA_PLATFORM": "xcb"}, "DISPLAY is not set"),
        ({"QT_QPA_PLATFORM": "wayland;xcb", "DISPLAY": ":4711"}, "the display :4711 does not"),
        ({"QT_QPA_PLATFORM": "nonsense;offscreen"}, ""),
        ({"QT_QPA_PLATFORM": "offscreen:width=3"}, ""),
    ],
)
def test_whatever_the_display_is_said_to_be_qt_is_not_asked(monkeypatch, tmp_path, variables, said):
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert said in no_display()
    assert bool(no_display()) is bool(said)


@pytest.mark.skipif(sys.platform != "linux", reason="only there displays are sockets")
@pytest.mark.parametrize("answers", [True, False])
def test_a_display_that_hangs_is_none(monkeypatch, answers):
    monkeypatch.setattr(display, "WAIT_S", 30.0 if answers else 0.2)
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":4712")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0/tmp/.X11-unix/X4712")
        server.listen()

        def answer():
            here, _ = server.accept()
            with here:
                here.recv(64)  # a socket that is closed with something unread breaks the connection
                here.sendall(b"\0")

        thread = threading.Thread(target=answer if answers else lambda: None)
        thread.start()
        assert no_display() == ("" if answers else "the display :4712 does not answer")
        thread.join()
