"""The window says what the opening of a network or session does, and opening can be stopped."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace

import pytest
import torch
from PyQt6.QtWidgets import QPushButton

from gui.windows import CPU, files, finish, open_in, paused, small_opening, until
from ldam_studio.engine.state import snapshot
from ldam_studio.gui.app import main as app
from ldam_studio.gui.app.start import Start
from ldam_studio.gui.network_dialog.card import NetworkCard
from ldam_studio.gui.network_dialog.dialog import NetworkDialog
from ldam_studio.gui.stragglers import STRAGGLERS
from ldam_studio.gui.window import sessions
from ldam_studio.networks.sources.request import NetworkRequest
from ldam_studio.progress import Stage, tell

SLOW = """
import time
import torch
from torch import nn

class Slow(nn.Module):
    pixels = dict(channels=1, height=8, width=8, mean=[0.5], std=[0.5], rest=0.5)
    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList(nn.Conv2d(1, 1, 3, padding=1) for _ in range(400))
    def forward(self, x):
        for part in self.parts:
            x = part(x)
            WAIT
        return x.flatten(1)

def endless():
    try:
        while True:
            time.sleep(0.001)
    except Exception:
        pass
"""
WAYS = {
    "importing mine.py": (SLOW.replace("WAIT", "pass") + "\nendless()\n", "model"),
    "building mine.py:endless": (SLOW.replace("WAIT", "pass"), "endless"),
    "looking for layers": (SLOW.replace("WAIT", "time.sleep(0.001)"), "Slow"),
    "trying how it behaves": (SLOW.replace("WAIT", "time.sleep(0.005)"), "Slow"),
}


@pytest.fixture
def dialog(qtbot):
    made = NetworkDialog()
    qtbot.addWidget(made)
    made.show()
    yield made
    made.reject()
    until(qtbot, lambda: not STRAGGLERS)


# Python that is stopped in the midst of reading a module leaves the file to be closed later.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("doing", WAYS)
def test_a_load_says_what_it_does_and_ends_when_it_is_stopped(dialog, qtbot, tmp_path, doing):
    code, function = WAYS[doing]
    (tmp_path / "mine.py").write_text(code)
    dialog.set_request(NetworkRequest(f"{tmp_path}/mine.py:{function}"))
    dialog.source.code.agreed.setChecked(True)
    dialog.load_button.click()
    wanted = f"{doing[:1].upper()}{doing[1:]}"
    until(qtbot, lambda: dialog.card.doing.text().startswith(wanted))
    if doing == "looking for layers":
        until(qtbot, lambda: dialog.card.bar.maximum() > 0 and dialog.card.bar.value() > 0)
    dialog.card.stop.click()
    assert dialog.card.words.text() == "Loading was stopped."
    until(qtbot, lambda: not STRAGGLERS)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_stopped_load_leaves_the_session_as_it_was(studio, qtbot, tmp_path):
    (tmp_path / "mine.py").write_text(SLOW.replace("WAIT", "pass") + "\nendless()\n")
    paused(studio, qtbot)
    before = studio.controller.ask(snapshot).result(20)
    dialog = files(studio).ask_for_network(NetworkRequest(f"{tmp_path}/mine.py:Slow"))
    dialog.source.code.agreed.setChecked(True)
    dialog.load_button.click()
    until(qtbot, lambda: dialog.card.doing.text().startswith("Importing mine.py"))
    dialog.reject()
    until(qtbot, lambda: not STRAGGLERS)
    after = studio.controller.ask(snapshot).result(20)
    assert torch.equal(after.lane.chains.x, before.lane.chains.x)
    assert after.step == before.step and studio.model.is_open


def test_the_card_says_how_long_it_takes(qtbot):
    card = NetworkCard()
    qtbot.addWidget(card)
    card.show_loading("Loading")
    now = 0.0
    card._words._clock = lambda: now
    card.show_stage(Stage("reading big.pt"))
    assert card.doing.text() == "Reading big.pt …"
    now = 12.0
    card._on_second()
    assert card.doing.text() == "Reading big.pt, for 12 s …"
    card.show_stage(Stage("looking for layers", 1, 100))
    now = 16.0
    card.show_stage(Stage("looking for layers", 20, 100))
    assert card.doing.text() == "Looking for layers: 20 of 100, about 17 s left …"
    assert (card.bar.value(), card.bar.maximum()) == (20, 100)
    card.say("done")
    card._on_second()
    assert not card._seconds.isActive()


def slow_opening(begun: threading.Event):
    def make():
        tell("looking for layers", 3, 9)
        begun.set()
        while True:
            tell("looking for layers", 4, 9)

    return replace(small_opening(), title="Large", make=make)


def test_a_session_that_opens_slowly_can_be_stopped_for_the_one_before(studio, qtbot, monkeypatch):
    monkeypatch.setattr(sessions, "LONG_S", 0.0)
    paused(studio, qtbot)
    before = studio.controller.ask(snapshot).result(20)
    begun = threading.Event()
    studio.open(slow_opening(begun))
    until(qtbot, begun.is_set)
    until(qtbot, lambda: "“Large” takes a while to open." in studio.banner.texts())
    assert studio.canvas._empty[0] == "Opening “Large” …\nLooking for layers: 4 of 9 …"
    buttons = studio.banner.findChildren(QPushButton)
    next(b for b in buttons if b.text() == "Stop, and go back to Small").click()
    until(qtbot, lambda: studio.model.is_open and studio.last_frame is not None)
    paused(studio, qtbot)
    after = studio.controller.ask(snapshot).result(20)
    assert after.step >= before.step and after.seed == before.seed
    assert after.lane.neurons == before.lane.neurons
    assert not [text for text in studio.banner.texts() if "Large" in text]


def test_another_session_may_be_opened_while_one_opens(studio, qtbot):
    begun = threading.Event()
    studio.open(slow_opening(begun))
    until(qtbot, begun.is_set)
    open_in(studio, qtbot, replace(small_opening("fc2:0-2"), title="Other"))
    assert studio.controller.way_back.title == "Small"
    assert studio.model.outline.device == CPU


def test_after_the_start_garbage_is_not_searched_for_in_what_was_imported(qtbot):
    things = [[number] for number in range(1000)]  # as an import leaves them
    before = gc.get_freeze_count()
    window = app._window(Start(CPU, fresh=True), None)
    try:
        assert gc.get_freeze_count() >= before + len(things)
    finally:
        finish(window)
