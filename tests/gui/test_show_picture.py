"""Opening a picture shows it at once; its session goes on where it was, or from its start."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QProgressBar, QPushButton

from gui.windows import CPU, click, files, open_in, paused, shown_picture, small_opening, until
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import snapshot
from ldam_studio.export import rerun
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.table import read
from ldam_studio.export.shown import Shown
from ldam_studio.gui.opening.picture_view import PictureView
from ldam_studio.gui.opening.pictures import read_picture
from ldam_studio.gui.preview import Preview
from ldam_studio.networks.sources.opening import open_network


@pytest.fixture
def exported(tmp_path):
    """Export a picture at step 12; return its path and the session."""
    network = open_network("lenet")
    state = open_session(SessionSpec(network, network.default_neurons(3), seed=5, device=CPU))
    state, _ = advance(state, [Change("l2", 0.25)])
    for _ in range(11):
        state, _ = advance(state)
    return export(state, Shown("raw", 1), tmp_path / "seen.png").path, state


def test_the_picture_is_there_while_the_session_goes_on(studio, qtbot, exported):
    path, _ = exported
    files(studio).open(path)
    view = shown_picture(studio, qtbot)
    assert view.isVisible()
    assert np.array_equal(view.findChild(Preview)._image, read(path)[1])
    assert studio.model.title == "Small"
    step = studio.last_frame.step
    until(qtbot, lambda: studio.last_frame.step > step)
    click(view, "Close")
    until(qtbot, lambda: not studio.findChildren(PictureView))
    assert studio.focusWidget() is studio.canvas


def test_of_one_chain_the_words_say_one(tmp_path):
    network = open_network("lenet")
    state = open_session(SessionSpec(network, network.default_neurons(1), device=CPU))
    path = export(advance(state)[0], Shown("strip"), tmp_path / "one.png").path
    assert read_picture(path).words == "The raw sample of fc3:0, lenet, at step 1"


def test_it_goes_on_where_it_was(studio, qtbot, exported):
    path, state = exported
    files(studio).open(path)
    click(shown_picture(studio, qtbot), "Continue from here")
    until(qtbot, lambda: studio.model.title == "seen" and studio.controller.runner is not None)
    paused(studio, qtbot)
    until(qtbot, lambda: not studio.findChildren(PictureView))
    now = studio.controller.ask(snapshot).result(20)
    assert now.step >= state.step
    assert now.log[0].json() == [0, "l2", 0.25]
    while state.step < now.step:
        state, _ = advance(state)
    assert torch.equal(now.lane.chains.x, state.lane.chains.x)


def test_its_progress_is_shown_and_it_can_be_stopped(studio, qtbot, exported, monkeypatch):
    path, _ = exported
    begun, goes_on = threading.Event(), threading.Event()
    steps = rerun.advance

    def slow(*given):
        if begun.is_set():
            goes_on.wait(20)
        begun.set()
        return steps(*given)

    monkeypatch.setattr(rerun, "advance", slow)
    files(studio).open(path)
    view = shown_picture(studio, qtbot)
    click(view, "Continue from here")
    bar = view.findChild(QProgressBar)
    until(qtbot, lambda: bar.isVisible() and begun.is_set())
    QTest.keyClick(view, Qt.Key.Key_Escape)
    goes_on.set()
    # The session before is there again.
    until(qtbot, lambda: studio.model.title == "Small" and studio.controller.runner is not None)
    until(qtbot, lambda: not studio.findChildren(PictureView))
    assert "was not opened, since its replay was stopped" in " ".join(studio.banner.texts())


def test_a_picture_whose_weights_are_missing_leaves_the_session(studio, qtbot, tmp_path):
    from ldam_studio.assets import asset

    weights = tmp_path / "mine.safetensors"
    weights.write_bytes(asset("models", "lenet-averaged.safetensors").read_bytes())
    network = open_network("lenet", weights)
    state = open_session(SessionSpec(network, network.default_neurons(2), device=CPU))
    path = export(advance(state)[0], Shown("raw"), tmp_path / "a.png").path
    weights.unlink()
    files(studio).open(path)
    click(shown_picture(studio, qtbot), "Continue from here")
    until(qtbot, lambda: "are missing" in " ".join(studio.banner.texts()))
    until(qtbot, lambda: studio.model.title == "Small" and studio.controller.runner is not None)


def test_another_picture_takes_the_place_of_the_first(make_window, qtbot, exported, tmp_path):
    path, state = exported
    other = export(state, Shown("strip"), tmp_path / "all.png").path
    window = open_in(make_window(), qtbot, small_opening())
    files(window).open(path)
    shown_picture(window, qtbot)
    files(window).open(other)
    until(qtbot, lambda: shown_picture(window, qtbot).accessibleName() == "all.png")
    until(qtbot, lambda: len(window.findChildren(PictureView)) == 1)


def test_a_session_that_opens_below_it_does_not_take_it_away(make_window, qtbot, exported):
    window = make_window()
    begun, goes_on = threading.Event(), threading.Event()
    below = small_opening()

    def slow():
        begun.set()
        goes_on.wait(20)
        return below.make()

    window.open(replace(below, make=slow))
    window.show()
    until(qtbot, begun.is_set)
    files(window).open(exported[0])
    shown_picture(window, qtbot)
    goes_on.set()
    until(qtbot, lambda: window.last_frame is not None)
    assert shown_picture(window, qtbot).isVisible()


def test_files_that_only_the_picture_names_are_read_after_a_click(
    studio, qtbot, tmp_path, monkeypatch
):
    from ldam_studio.assets import asset

    (tmp_path / "sent").mkdir()
    weights = tmp_path / "mine.safetensors"
    weights.write_bytes(asset("models", "lenet-averaged.safetensors").read_bytes())
    network = open_network("lenet", weights)
    state = open_session(SessionSpec(network, network.default_neurons(2), device=CPU))
    path = export(advance(state)[0], Shown("raw"), tmp_path / "sent" / "a.png").path
    monkeypatch.setenv("LDAM_STATE_DIR", str(tmp_path / "of another person"))
    files(studio).open(path)
    click(shown_picture(studio, qtbot), "From its start")
    until(qtbot, lambda: "not beside it: ../mine.saf" in " ".join(studio.banner.texts()))
    assert studio.model.title == "Small"
    (offer,) = [b for b in studio.banner.findChildren(QPushButton) if b.text() == "Read them"]
    offer.click()
    until(qtbot, lambda: studio.model.title == "a" and studio.controller.runner is not None)
    assert studio.model.outline.lane.network.weights.resolve() == weights.resolve()
