"""Saving the session as a file and opening it again, in the window and from the command line."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import torch
from PyQt6.QtGui import QTextDocument
from PyQt6.QtWidgets import QFileDialog, QLabel
from torch import nn

from gui.test_filmstrip import pin, pins_of, restore, state_of
from gui.windows import CPU, click, close_saved, files, open_in, paused, small_opening, until
from ldam_studio.commands import desktop
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.export.archive.writing import write_archive
from ldam_studio.export.filmstrip.pins import Pin
from ldam_studio.export.session_file import session_bytes
from ldam_studio.gui.app.application import opening_of
from ldam_studio.gui.app.start import Start
from ldam_studio.gui.compare.bar import CompareBar
from ldam_studio.gui.features import FEATURES
from ldam_studio.gui.filmstrip import words
from ldam_studio.gui.opening.file_kinds import SESSION, kind_of
from ldam_studio.gui.opening.saved import saved_opening
from ldam_studio.gui.saving.feature import Saving
from ldam_studio.gui.session.note import IMPERSONAL, Layout, Note
from ldam_studio.gui.session.openings import network_opening
from ldam_studio.gui.session.store import SessionStore
from ldam_studio.gui.stragglers import wait_for
from ldam_studio.gui.tips import as_tip
from ldam_studio.gui.watch.watching import Watching
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.opening import open_module, open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.progress import tell


@pytest.fixture(autouse=True)
def _own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "known"))


def saved_as(window, qtbot, path: Path, monkeypatch) -> Path:
    """Choose Save Session As, and wait until the file is there."""
    in_dialog(monkeypatch, path)
    window.actions_by_name["save_session"].trigger()
    until(qtbot, lambda: any(text.startswith("Saved ") for text in window.banner.texts()))
    return path.with_suffix(".ldam")


def in_dialog(monkeypatch, path: Path) -> None:
    """Type a path into the dialog that asks where to save."""

    def answer(dialog: QFileDialog) -> int:
        dialog.selectFile(str(path))
        return 1

    monkeypatch.setattr(QFileDialog, "exec", answer)


def test_a_session_comes_back_with_its_window_and_filmstrip(
    make_window, qtbot, tmp_path, monkeypatch
):
    window = open_in(make_window(store=SessionStore(tmp_path / "a")), qtbot, small_opening())
    window.controller.set_value("l2", 0.25)
    window.controller.set_front(2)
    window.panels.show_panel("neurons", False)
    paused(window, qtbot)
    state = pin(window, qtbot)
    window.panels.prefer_tab("Modes")
    path = saved_as(window, qtbot, tmp_path / "find", monkeypatch)
    assert path == tmp_path / "find.ldam"
    close_saved(window, qtbot)

    other = open_in(make_window(store=SessionStore(tmp_path / "b")), qtbot, small_opening("fc1:0"))
    files(other).open(path)
    until(qtbot, lambda: other.model.title == "find" and other.last_frame is not None)
    paused(other, qtbot)
    assert other.windowTitle() == "find \N{EM DASH} LDAM Studio"
    assert other.model.outline.lane.settings.l2 == 0.25 and other.model.front == 2
    assert not other.panels.shows("neurons") and other.panels.tab == "Modes"
    again = other.controller.ask(snapshot).result()
    assert again.step >= state.step and again.log[: len(state.log)] == state.log
    until(qtbot, lambda: len(pins_of(other)) == 1)
    other.controller.set_value("l2", 0.5)
    other.actions_by_name["save"].trigger()
    until(qtbot, lambda: f"Saved {path}." in other.banner.texts())
    assert saved_opening(path, CPU).make().lane.settings.l2 == 0.5
    restore(other, qtbot, 0)
    assert torch.equal(state_of(other).lane.chains.x, state.lane.chains.x)
    close_saved(other, qtbot)
    # The autosave goes on in its place, with all that was in the file.
    back = make_window(store=SessionStore(tmp_path / "b"))
    open_in(back, qtbot, back.recall().opening)
    assert back.model.title == "find" and not back.panels.shows("neurons")
    assert back.feature(Saving).file == path
    until(qtbot, lambda: len(pins_of(back)) == 1)
    for session in back.store.shelf.sessions():
        place = back.store.shelf.take(session[0].folder)
        place.remove()
        assert not place.folder.exists()


def test_saving_can_be_stopped(studio, qtbot, tmp_path, monkeypatch):
    begun = threading.Event()

    def endless(*_):
        begun.set()
        while True:
            tell("saving the session (MB)", 1, 2)
            threading.Event().wait(0.01)

    monkeypatch.setattr("ldam_studio.export.archive.writing.stream_session", endless)
    before = tmp_path / "a.ldam"
    before.write_bytes(b"as it was")
    studio.feature(Saving).save(studio.controller.ask(snapshot).result(), before)
    until(qtbot, begun.is_set)
    click(studio.banner, "Cancel")
    assert studio.banner.texts() == (f"Saving {before} was stopped.",)
    wait_for("save-session")
    assert before.read_bytes() == b"as it was"
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["a.ldam"]


def test_what_a_file_cannot_do_leaves_the_session_running(studio, qtbot, tmp_path, monkeypatch):
    (tmp_path / "half.ldam").write_bytes(b"PK\x03\x04 half a file")
    files(studio).open(tmp_path / "half.ldam")
    until(qtbot, lambda: "half.ldam is damaged" in " ".join(studio.banner.texts()))
    assert studio.model.title == "Small" and studio.controller.runner is not None
    (tmp_path / "file").write_bytes(b"")
    gone = tmp_path / "file" / "a.ldam"
    in_dialog(monkeypatch, gone)
    studio.actions_by_name["save_session"].trigger()
    until(qtbot, lambda: "cannot be written" in " ".join(studio.banner.texts()))


@pytest.fixture(scope="module")
def state():
    network = open_network("lenet")
    return open_session(SessionSpec(network, network.default_neurons(3), device=CPU))


def note(**given) -> Note:
    return Note("a", [], 0, "image", None, "", 0, **given)


def file_with(folder: Path, state, window: Note | bytes) -> Path:
    path = folder / "a.ldam"
    data = window if isinstance(window, bytes) else msgspec.json.encode(window)
    write_archive(path, state, data)
    return path


def test_a_strangers_window_names_nothing_here_and_fits(tmp_path, state):
    given = note(
        code="/tmp/evil.py:run",
        features={
            "watching": {"place": "/etc", "network": "lenet"},
            "real_images": {"a": ["folder", "/home", 3]},
            "settings": {"photographs": "/home"},
            "agreement": {"always": True},
        },
        layout=Layout([2**24, 0, 2**24], [1, 2**24, 0], {"neurons": False}, "\x1b[31m"),
    )
    given.hint = given.title = "\x1b" + "a" * 60_000
    given.rows = ["r" * 60_000] * 7
    opening = saved_opening(file_with(tmp_path, state, given), CPU)
    assert opening.remembered == {"agreement": {"always": True}}
    assert opening.trusted is None and opening.title == "a"
    assert max(map(len, (opening.hint, *opening.rows))) <= 300
    assert opening.hint.isprintable()
    assert opening.layout.middle[0] >= sum(opening.layout.middle) // 3
    assert opening.layout.across[1] >= sum(opening.layout.across) // 3
    assert set(IMPERSONAL) <= {row.name for row in FEATURES}


@pytest.mark.parametrize(
    "change", [{"title": 3}, {"front": -1}, {"scale": 0}, {"lane_titles": {"-100": "beside"}}]
)
def test_a_window_that_nobody_saved_is_one_sentence(tmp_path, state, change):
    window = msgspec.json.encode(msgspec.to_builtins(note()) | change)
    path = file_with(tmp_path, state, window)
    with pytest.raises(Exception, match=r"a\.ldam says of the window is damaged"):
        saved_opening(path, CPU)


def test_huge_sizes_in_a_strangers_file_keep_the_window_usable(studio, qtbot, tmp_path, state):
    sizes = Layout([2**24, 0, 2**24], [0, 2**24, 2**24], dict.fromkeys("abc", False), "Nothing")
    path = file_with(tmp_path, state, note(layout=sizes))
    size = studio.size()
    files(studio).open(path)
    until(qtbot, lambda: studio.model.title == "a" and studio.last_frame is not None)
    assert studio.size() == size
    assert studio.panels.middle.width() > studio.width() // 4
    assert studio.canvas.height() > studio.panels.height() // 4


def hostile_notes(pipe: str) -> list[dict[str, dict[str, object]]]:
    """Return notes of what no feature remembers, under every name that one looks for."""
    names = ["place", "network", "file", "photographs", "always", "lenet", "__class__", ""]
    values: list[object] = [pipe, ["folder", pipe, 3], ["folder", "/", -1], [[]] * 10_000]
    values += [None, -1, 1e308, "\0", "x" * 10_000, {"a": [None]}]
    features = [*(row.name for row in FEATURES if row.name != "saving"), "nobody"]
    return [
        {
            feature: {name: values[(at + turn) % len(values)] for at, name in enumerate(names)}
            for turn, feature in enumerate(features, start)
        }
        for start in (0, 3, 7)
    ]


def test_whatever_features_shall_remember_the_studio_goes_on(studio, qtbot, tmp_path, state):
    os.mkfifo(tmp_path / "pipe")
    hostile = hostile_notes(str(tmp_path / "pipe"))
    path = file_with(tmp_path, state, note(features=hostile[0] | {"saving": {"file": "/a"}}))
    assert set(saved_opening(path, CPU).remembered) == set(IMPERSONAL)
    files(studio).open(path)
    until(qtbot, lambda: studio.model.title == "a" and studio.last_frame is not None)
    assert studio.banner.texts() == () and studio.feature(Saving).file == path
    # The studio's own notes may be damaged; nothing that they name is opened without a question.
    for remembered in hostile:
        open_in(studio, qtbot, replace(small_opening(), remembered=remembered))
        assert studio.last_frame is not None and studio.feature(Watching)._watch is None


def test_words_that_look_like_html_stay_words_in_tool_tips(qtbot):
    given = '<img src="/dev/stdin"> & <b>'
    bar = CompareBar()
    qtbot.addWidget(bar)
    bar.show_titles(given, given)
    tips = [label.toolTip() for label in bar.findChildren(QLabel) if label.toolTip()]
    assert len(tips) == 2
    for tip in (*tips, words.tip(Pin("0123456789ab", 3, note=given))):
        shown = QTextDocument()
        shown.setHtml(tip)
        assert given in shown.toPlainText()
    assert as_tip("plain\nlines") == "plain\nlines"


def test_own_code_is_asked_for_first(studio, qtbot, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import torch\nfrom pathlib import Path\n"
        "def model():\n    Path(__file__).with_name('ran').touch()\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 4))\n"
    )
    from ldam_studio.networks.pixels import PixelSpec
    from ldam_studio.networks.sources.options import Options

    pixels = PixelSpec(1, 28, 28, (0.5,), (0.5,))
    name = f"{tmp_path / 'mine.py'}:model"
    network = open_network(name, options=Options(pixels=pixels, random_seed=1))
    own = open_session(SessionSpec(network, network.default_neurons(2), device=CPU))
    path = file_with(tmp_path, own, note())
    (tmp_path / "ran").unlink()
    files(studio).open(path)
    until(qtbot, lambda: "runs that code with all your rights" in " ".join(studio.banner.texts()))
    assert not (tmp_path / "ran").exists() and studio.model.title == "Small"
    opening = saved_opening(path, CPU)
    assert opening.code == (name,)
    assert opening.trusted.make().lane.network.name == name


def test_a_session_file_is_known_by_its_name_and_opens_from_the_command_line(tmp_path, state):
    assert kind_of(Path("a.LDAM")) is SESSION
    assert kind_of(Path("a.ldam-session.safetensors")) is SESSION
    assert kind_of(Path("a.safetensors")) is not SESSION
    path = file_with(tmp_path, state, note())
    assert opening_of(Start(CPU, file=path)).make().lane.neurons == state.lane.neurons
    former = tmp_path / "b.ldam-session.safetensors"
    former.write_bytes(session_bytes(state, history=True))
    assert opening_of(Start(CPU, file=former)).title == "b.ldam-session"


def test_the_desktop_opens_session_files(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    ran = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: ran.append(command[0]))
    from ldam_studio.cli import main

    assert main(["desktop"]) == 0
    entry = (tmp_path / "share" / "applications" / desktop.ENTRY).read_text()
    assert "MimeType=application/x-ldam;" in entry
    (line,) = [line for line in entry.splitlines() if line.startswith("Exec=")]
    assert os.path.isabs(line.removeprefix("Exec=").split()[0]) and line.endswith(" studio %u")
    kinds = (tmp_path / "share" / "mime" / "packages" / desktop.KINDS).read_text()
    assert 'glob pattern="*.ldam"' in kinds
    assert main(["desktop", "--remove"]) == 0
    assert not [path for path in (tmp_path / "share").rglob("*") if path.is_file()]
    assert capsys.readouterr().out.count("removed ") == 4


def test_a_module_in_memory_is_neither_saved_nor_linked(make_window, qtbot):
    pixels = PixelSpec(1, 8, 8, (0.5,), (0.5,), rest=0.5)
    network = open_module(nn.Sequential(nn.Conv2d(1, 2, 3)), None, Options(pixels))
    window = open_in(make_window(), qtbot, network_opening(network, CPU))
    for name in ("save", "save_session"):
        window.actions_by_name[name].trigger()
        said = [text for text in window.banner.texts() if "cannot be saved" in text]
        assert len(said) == 1 and "Export a picture" in said[0]
    window.actions_by_name["copy_link"].trigger()
    until(qtbot, lambda: any("no link can name" in text for text in window.banner.texts()))
