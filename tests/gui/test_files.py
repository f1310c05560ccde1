"""Exporting from the window, and opening what was exported."""

import threading

import numpy as np
import pytest
from PIL import Image
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QFileDialog, QPushButton

from gui.windows import (
    CPU,
    click,
    exporting,
    files,
    learner,
    open_in,
    paused,
    shown_picture,
    small_opening,
    until,
)
from ldam_studio.engine.advance import advance
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.errors import StudioError
from ldam_studio.export import exporting as exports
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.table import read
from ldam_studio.export.replay import compare
from ldam_studio.export.shown import Shown
from ldam_studio.gui import saves
from ldam_studio.gui.exporting import dialog
from ldam_studio.gui.exporting.dialog import ExportChoice
from ldam_studio.gui.opening.file_kinds import picture_opening
from ldam_studio.gui.session.model import IMAGE, SIGNED, Display
from ldam_studio.gui.session.openings import EXAMPLES, start
from ldam_studio.gui.session.store import SessionStore
from ldam_studio.gui.stragglers import STRAGGLERS
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from thinned import one_in


@pytest.fixture
def choose(monkeypatch):
    """Answer the export dialog; `asked` has True once it was."""
    asked = []

    def answer(what, zoom, path):
        choice = None if what is None else ExportChoice(what, zoom, path)
        monkeypatch.setattr(dialog.ExportDialog, "ask", lambda self: asked.append(True) or choice)

    answer.asked = asked
    return answer


@pytest.mark.parametrize(
    ("what", "size"), one_in(2, [("average", 56), ("raw", 56), ("strip", None), ("averages", None)])
)
def test_an_export_is_what_was_shown_and_replays(make_window, qtbot, tmp_path, choose, what, size):
    studio = open_in(make_window(), qtbot, small_opening(burn_in=1_000_000))
    studio.controller.set_value("temperature", 0.05)
    studio.controller.set_front(1)
    until(qtbot, lambda: studio.last_frame.step > 5)
    paused(studio, qtbot)
    choose(what, 2, tmp_path / "picture.png")
    studio.actions_by_name["export"].trigger()
    until(qtbot, (tmp_path / "picture.png").exists)
    until(qtbot, lambda: "Saved" in "".join(studio.banner.texts()))
    (said,) = studio.banner.texts()
    assert "burned in" in said
    recipe, picture = read(tmp_path / "picture.png")
    assert recipe.step == studio.last_frame.step
    if size:
        assert picture.shape == (size, size, 3)
    if what == "raw":
        assert np.array_equal(picture[::2, ::2], studio.last_frame.lanes[0].thumbnails[1])
    assert compare(tmp_path / "picture.png").identical


def test_a_cancelled_export_writes_nothing(studio, qtbot, tmp_path, choose):
    choose(None, 1, None)
    studio.actions_by_name["export"].trigger()
    until(qtbot, lambda: bool(choose.asked))
    assert studio.banner.texts() == ()
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_cannot_be_written_is_one_sentence(studio, qtbot, tmp_path, choose):
    (tmp_path / "file").write_text("in the way")
    choose("raw", 1, tmp_path / "file" / "picture.png")
    studio.actions_by_name["export"].trigger()
    until(qtbot, lambda: "cannot be written" in "".join(studio.banner.texts()))
    assert len(studio.banner.texts()) == 1
    step = studio.last_frame.step
    until(qtbot, lambda: studio.last_frame.step > step)


def test_closing_waits_for_an_export_that_is_being_saved(
    studio, qtbot, tmp_path, choose, monkeypatch
):
    goes_on, original = threading.Event(), exports.export

    def export(*args, **_more):
        assert goes_on.wait(10)
        return original(*args)

    monkeypatch.setattr(exports, "export", export)
    monkeypatch.setattr(exporting(studio), "leave", goes_on.set)
    choose("raw", 1, tmp_path / "picture.png")
    studio.actions_by_name["export"].trigger()
    until(qtbot, lambda: studio.banner.texts() == (f"Saving {tmp_path / 'picture.png'} …",))
    studio.close()
    assert compare(tmp_path / "picture.png").identical
    until(qtbot, lambda: not STRAGGLERS)


@pytest.mark.parametrize("late", [False, True])
def test_an_export_that_closing_waits_for_in_vain_is_told_in_the_terminal(
    late, studio, qtbot, tmp_path, choose, monkeypatch, capsys
):
    goes_on, begun = threading.Event(), threading.Event()

    def export(_state, _shown, path, **_more):
        begun.set()
        assert goes_on.wait(10)
        raise StudioError(f"{path} cannot be written.")

    monkeypatch.setattr(exports, "export", export)
    monkeypatch.setattr(saves, "LONGEST_MS", 0 if late else 10_000)
    if not late:
        monkeypatch.setattr(exporting(studio), "leave", goes_on.set)
    choose("raw", 1, tmp_path / "picture.png")
    studio.actions_by_name["export"].trigger()
    until(qtbot, begun.is_set)
    studio.close()
    why = "took too long to be written" if late else "cannot be written"
    assert capsys.readouterr().err.endswith(f"ldam-studio: {tmp_path / 'picture.png'} {why}.\n")
    goes_on.set()
    until(qtbot, lambda: not STRAGGLERS)


def test_what_the_dialog_remembers_lies_with_the_session(make_window, tmp_path):
    window = make_window(store=SessionStore(tmp_path))
    assert exporting(window).last.file == tmp_path / "export.json"
    assert exporting(make_window()).last.file is None


def test_the_dialog_that_opens_starts_where_the_last_picture_went(
    make_window, qtbot, tmp_path, choose, monkeypatch
):
    asked = []
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *args: (asked.append(args[2]), ("", ""))[1]
    )
    (tmp_path / "export.json").write_text(f'{{"folder": "{tmp_path.as_posix()}"}}')
    window = open_in(make_window(store=SessionStore(tmp_path)), qtbot, small_opening())
    window.actions_by_name["open_file"].trigger()
    choose("raw", 1, tmp_path / "new" / "raw.png")
    window.actions_by_name["export"].trigger()
    until(qtbot, lambda: window.studio.start_folder == str(tmp_path / "new"))
    window.actions_by_name["open_file"].trigger()
    assert asked == [tmp_path.as_posix(), str(tmp_path / "new")]


def test_a_picture_opens_its_session(studio, make_window, qtbot, tmp_path, choose):
    studio.controller.set_display(Display(SIGNED, 0.5))
    studio.controller.set_front(2)
    studio.controller.set_value("l2", 0.25)
    until(qtbot, lambda: studio.last_frame.step > 5)
    choose("raw", 1, tmp_path / "seen.png")
    studio.actions_by_name["export"].trigger()
    until(qtbot, (tmp_path / "seen.png").exists)
    other = open_in(make_window(), qtbot, small_opening("conv1:0-1"))
    files(other).open(tmp_path / "seen.png")
    click(shown_picture(other, qtbot), "From its start")
    until(qtbot, lambda: other.model.title == "seen" and other.last_frame is not None)
    assert other.model.outline.lane.settings.l2 == 0.25
    assert other.model.outline.lane.neurons == tuple(Neuron("fc3", i) for i in range(3))
    assert other.model.display == Display(SIGNED, 0.5)
    assert other.model.front == 2


def test_what_is_no_session_is_one_sentence_and_leaves_the_session(studio, qtbot, tmp_path):
    plain = tmp_path / "plain.png"
    Image.new("L", (8, 8)).save(plain)
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(b"torn")
    studio.banner.clear()
    for path, word in ((torn, "damaged"), (tmp_path / "a.txt", "neither"), (plain, "no recipe")):
        files(studio).open(path)  # what was said of the file before goes away
        until(qtbot, lambda: len(studio.banner.texts()) == 1)
        (said,) = studio.banner.texts()
        assert word in said
    with pytest.raises(StudioError):
        files(studio).open_or_raise(tmp_path / "a.txt")
    assert studio.model.title == "Small"
    step = studio.last_frame.step
    until(qtbot, lambda: studio.last_frame.step > step)


def test_other_weights_open_in_the_running_session(studio, qtbot):
    from ldam_studio.assets import asset

    before = studio.model.outline.lane.network
    files(studio).open(asset("models", "lenet-averaged.safetensors"))
    until(qtbot, lambda: studio.model.outline.lane.network is not before)
    network = studio.controller.ask(lambda s: s.lane.network.sha256)
    assert network.result(30) == studio.model.outline.lane.network.sha256


@pytest.mark.parametrize(
    ("number", "neurons", "display"),
    [(0, 50, IMAGE), (1, 10, IMAGE), (2, 6, SIGNED)],
    ids=["figure 1", "melt and collapse", "filters"],
)
def test_examples_open_and_the_start_comes_back(studio, qtbot, number, neurons, display):
    title, make = EXAMPLES[number]
    studio.open(make(studio.studio.device, None))
    until(
        qtbot,
        lambda: (
            studio.last_frame is not None and len(studio.last_frame.lanes[0].neurons) == neurons
        ),
    )
    assert title.startswith(studio.model.title)
    assert studio.model.display.mode == display
    assert studio.banner.texts() != ()
    assert studio.strip.has_rows == (neurons == 50)
    studio.actions_by_name["start"].trigger()
    until(
        qtbot,
        lambda: studio.last_frame is not None and len(studio.last_frame.lanes[0].neurons) == 10,
    )
    assert studio.model.title == start(studio.studio.device).title
    assert not studio.strip.has_rows
    settings = studio.model.outline.lane.settings
    assert settings.clamp and 0.5 <= settings.discriminator_weight <= 0.8
    assert studio.canvas._hint == "Press K to melt"
    studio.controller.melt()
    assert studio.canvas._hint == ""


def test_a_discriminator_is_saved_and_opened_again(make_window, qtbot, tmp_path, monkeypatch):
    window = open_in(make_window(), qtbot, small_opening(discriminator=True))
    path = tmp_path / "mine"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    learner(window).save_requested.emit()
    saved = tmp_path / "mine.safetensors"
    until(qtbot, lambda: window.banner.texts() == (f"Saved {saved}.",))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(saved), ""))
    window.actions_by_name["open_discriminator"].trigger()
    opened = "The session now uses the discriminator in mine.safetensors."
    until(qtbot, lambda: window.banner.texts()[-1] == opened)
    until(
        qtbot,
        lambda: window.controller.ask(lambda s: s.discriminator.weights).result(30) == saved,
    )
    saved.write_bytes(b"torn")
    window.actions_by_name["open_discriminator"].trigger()
    until(qtbot, lambda: "damaged" in window.banner.texts()[-1])


# While a step takes long


@pytest.fixture
def slow(make_window, qtbot):
    """Give a window whose sampler is in a step that ends when `ends` is set."""
    window = open_in(make_window(), qtbot, small_opening(discriminator=True))
    window.ends, begun = threading.Event(), threading.Event()

    def step(_state):
        begun.set()
        window.ends.wait(60)

    window.controller.ask(step)
    until(qtbot, begun.is_set)
    yield window
    window.ends.set()


def test_an_export_waits_for_a_slow_step_and_the_window_lives(slow, qtbot, tmp_path, choose):
    choose("raw", 1, tmp_path / "slow.png")
    slow.actions_by_name["export"].trigger()
    (said,) = slow.banner.texts()
    assert said == "Waiting for the current step to end, to export the picture …"
    alive = []
    QTimer.singleShot(0, lambda: alive.append(True))
    until(qtbot, lambda: bool(alive))
    assert not (tmp_path / "slow.png").exists()
    slow.ends.set()
    until(qtbot, (tmp_path / "slow.png").exists)
    until(qtbot, lambda: "Saved" in slow.banner.texts()[0])
    assert len(slow.banner.texts()) == 1


def test_an_export_that_waits_can_be_cancelled(slow, qtbot, tmp_path, choose):
    choose("raw", 1, tmp_path / "slow.png")
    slow.actions_by_name["export"].trigger()
    (cancel,) = [b for b in slow.banner.findChildren(QPushButton) if b.text() == "Cancel"]
    cancel.click()
    assert slow.banner.texts() == ()
    slow.ends.set()
    step = slow.last_frame.step
    until(qtbot, lambda: slow.last_frame.step > step)
    assert not (tmp_path / "slow.png").exists()


def test_saving_a_discriminator_waits_for_a_slow_step(slow, qtbot, tmp_path, monkeypatch):
    path = tmp_path / "mine.safetensors"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    learner(slow).save_requested.emit()
    assert "to save the discriminator" in slow.banner.texts()[0]
    slow.ends.set()
    until(qtbot, path.exists)
    until(qtbot, lambda: slow.banner.texts() == (f"Saved {path}.",))


def test_another_session_ends_the_wait(slow, qtbot, tmp_path, choose):
    choose("raw", 1, tmp_path / "slow.png")
    slow.actions_by_name["export"].trigger()
    slow.open(small_opening("fc2:0-1"))
    slow.ends.set()
    until(qtbot, lambda: slow.last_frame is not None and slow.last_frame.step > 0)
    assert slow.banner.texts() == ()
    assert not (tmp_path / "slow.png").exists()


CODE = """
import os
from torch import nn

os.makedirs("ran", exist_ok=True)

def model():
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(400, 5))
    module.pixels = dict(channels=1, height=12, width=12, mean=[0.5], std=[0.25], rest=0.5)
    return module
"""


def test_code_that_a_picture_names_runs_only_after_a_click(studio, qtbot, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(CODE)
    network = open_network(f"{tmp_path}/mine.py:model")
    state = open_session(SessionSpec(network, network.default_neurons(2), device=CPU))
    path = export(advance(state)[0], Shown("averages"), tmp_path / "a.png").path
    (tmp_path / "ran").rmdir()
    files(studio).open(path)
    click(shown_picture(studio, qtbot), "From its start")
    (said,) = [text for text in studio.banner.texts() if "outside this program" in text]
    assert f"{tmp_path}/mine.py:model" in said
    assert studio.model.title == "Small" and not (tmp_path / "ran").exists()
    buttons = studio.banner.findChildren(QPushButton)
    next(b for b in buttons if b.text() == "I trust this code: run it").click()
    until(qtbot, lambda: studio.model.title == "a" and studio.model.is_open)
    assert (tmp_path / "ran").exists()
    until(qtbot, lambda: studio.last_frame is not None)
    assert studio.model.outline.lane.network.name == f"{tmp_path}/mine.py:model"


def test_without_a_window_such_a_picture_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(CODE)
    network = open_network(f"{tmp_path}/mine.py:model")
    state = open_session(SessionSpec(network, network.default_neurons(2), device=CPU))
    path = export(advance(state)[0], Shown("averages"), tmp_path / "a.png").path
    (tmp_path / "ran").rmdir()
    opening = picture_opening(path, CPU)
    assert opening.code == (f"{tmp_path}/mine.py:model",)
    with pytest.raises(StudioError, match="not run just because a picture names it"):
        opening.make()
    assert not (tmp_path / "ran").exists()
