"""The studio's own training, in a process that only pretends to train."""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QPushButton

from gui.windows import until, watching
from ldam_studio.engine.watching import process
from ldam_studio.gui.session import learning
from ldam_studio.gui.watch.training import ROUNDS, forget_runs, words_of

TRAINER = """
import json, sys
from pathlib import Path

out = Path(sys.argv[1])

def tell(state, step, **more):
    status = dict(state=state, step=step, steps=100, epoch=step / 50, loss=.5, accuracy=.25)
    status |= dict(learning_rate=.001, averaging=0, checkpoint=None, notice="", error="")
    print(json.dumps(status | more), flush=True)

print("this is no status", flush=True)
tell("training", 10, notice="It learns from a sample.")
for line in sys.stdin:
    with open(out / "heard.txt", "a") as file:
        file.write(line)
    asked = json.loads(line)
    if asked.get("pause"):
        tell("paused", 20)
    elif asked.get("averaging") == 7:
        tell("failed", 30, error="The disk is full.")
        sys.exit(2)
    elif asked.get("stop"):
        tell("stopped", 40)
        break
"""


@pytest.fixture
def training(studio, qtbot, tmp_path, monkeypatch):
    """Start a training that pretends; `heard` tells what was said to it."""
    script = tmp_path / "trainer.py"
    script.write_text(TRAINER)
    runs = []

    def command(out, **given):
        runs.append(given)
        return [sys.executable, "-I", "-S", str(script), str(out)]

    monkeypatch.setattr(process, "command", command)
    monkeypatch.setattr(process, "new_folder", lambda: tmp_path / "live" / "mnist-1")
    said, say = [], studio.banner.say

    # A sentence that asks for nothing goes by itself.
    def note(text, *given, **more):
        said.append(text)
        say(text, *given, **more)

    monkeypatch.setattr(studio.banner, "say", note)
    studio.actions_by_name["watch_mnist"].trigger()
    made = watching(studio).training
    made.runs, made.said = runs, said
    made.heard = lambda: [
        json.loads(line) for line in (made.folder / "heard.txt").read_text().splitlines()
    ]
    until(qtbot, lambda: watching(studio).watch.is_on and made.trainer.status is not None)
    until(qtbot, lambda: studio.last_frame is not None)
    learning_is_set(studio, qtbot)
    return made


def learning_is_set(studio, qtbot):
    """Wait until the session has what it asks for from the start, for which much is imported."""
    asked = studio.controller.ask
    until(qtbot, lambda: asked(lambda s: s.discriminator_rounds).result(30) == ROUNDS)


@pytest.fixture(params=["not yet", "imported"])
def what_learning_needs(request, monkeypatch):
    """Whether an earlier training has imported it: then that takes no time."""
    monkeypatch.setattr(learning, "NEEDED", "torch._dynamo")
    if request.param == "imported":
        import_module("torch._dynamo")


def running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_training_is_shown_and_steered_and_ends_with_the_window(
    studio, qtbot, what_learning_needs, training
):
    panel = watching(studio).watch.panel
    assert studio.windowTitle().startswith("LeNet on MNIST")
    (note,) = [text for text in training.said if text != "It learns from a sample."]
    assert note.startswith("LeNet is being trained on digits")
    assert "Back to Small" in [button.text() for button in studio.banner.findChildren(QPushButton)]
    assert panel.state.text() == (
        "Training · epoch 0.2 · step 10 of 100 · loss 0.500 · accuracy 25.0 %"
    )
    assert panel.rate.value() == 0.001 and panel.rate.text() == "0.001"
    assert panel.isVisible() and panel.progress.value() == 100
    assert panel.rounds.value() == ROUNDS
    studio.actions_by_name["watch_mnist"].trigger()
    assert len(training.runs) == 1 and "already running" in training.said[-1]
    panel.pause.click()
    until(qtbot, lambda: panel.pause.text() == "Resume training")
    assert panel.state.text().startswith("Paused")
    panel.rate.setValue(0.01)
    panel.schedule.click()
    panel.averaging.setValue(300)
    panel.pause.click()
    pid = training.trainer.pid
    folder = training.folder
    studio.close()
    assert not running(pid)
    heard = [json.loads(line) for line in (folder / "heard.txt").read_text().splitlines()]
    assert heard == [
        {"pause": True},
        {"learning_rate": 0.01},
        {"learning_rate": None},
        {"averaging": 300},
        {"pause": False},
        {"stop": True},
    ]


def test_a_training_that_fails_or_dies_is_said_and_can_be_resumed(studio, qtbot, training):
    panel = watching(studio).watch.panel
    panel.averaging.setValue(7)
    until(qtbot, lambda: training.trainer.is_over)
    assert "The disk is full." in studio.banner.texts()
    assert panel.state.text().startswith("Ended")
    assert panel.pause.text() == "Resume training" and not panel.stop.isEnabled()
    panel.averaging.blockSignals(True)
    panel.averaging.setValue(0)
    panel.averaging.blockSignals(False)
    panel.pause.click()
    assert training.runs[-1]["resume"]
    assert "The disk is full." not in studio.banner.texts()
    until(qtbot, lambda: training.trainer.status is not None)
    os.kill(training.trainer.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    until(qtbot, lambda: training.trainer.is_over)
    assert any("ended unexpectedly after step 10" in text for text in studio.banner.texts())
    # The studio goes on, and what was learnt can still be looked at.
    assert watching(studio).watch.is_on
    step = studio.last_frame.step
    until(qtbot, lambda: studio.last_frame.step > step)
    # Stopping is no failure; another session ends the training.
    panel.pause.click()
    until(qtbot, lambda: training.trainer.status is not None)
    said = len(training.said)
    panel.stop.click()
    until(qtbot, lambda: training.trainer.is_over)
    panel.pause.click()
    until(qtbot, lambda: training.trainer.status is not None)
    assert len(training.said) == said
    pid = training.trainer.pid
    studio.actions_by_name["start"].trigger()
    assert training.trainer is None and not watching(studio).watch.is_on
    until(qtbot, lambda: not running(pid))
    until(qtbot, lambda: studio.last_frame is not None)


def test_a_training_that_diverged_is_resumed_with_another_learning_rate(studio, qtbot, training):
    panel = watching(studio).watch.panel
    panel.averaging.setValue(7)  # at which this one fails
    until(qtbot, lambda: training.trainer.is_over)
    assert panel.rate.isEnabled() and panel.schedule.isEnabled()
    panel.rate.setValue(1e-4)
    panel.averaging.blockSignals(True)
    panel.averaging.setValue(0)
    panel.averaging.blockSignals(False)
    panel.pause.click()
    assert training.runs[0]["learning_rate"] is None
    assert training.runs[-1]["resume"] and training.runs[-1]["learning_rate"] == 1e-4
    until(qtbot, lambda: training.trainer.status is not None)
    panel.stop.click()
    until(qtbot, lambda: training.trainer.is_over)
    # Of the schedule it is told, as a run may have been kept with a rate that was set by hand.
    panel.schedule.click()
    panel.pause.click()
    assert training.runs[-1]["learning_rate"] is None
    until(qtbot, lambda: training.heard()[-2:] == [{"learning_rate": None}, {"averaging": 0}])


def test_a_training_that_cannot_begin_is_said(studio, qtbot, tmp_path, monkeypatch):
    nowhere = tmp_path / "no-such-program"
    monkeypatch.setattr(process, "command", lambda *_a, **_k: [str(nowhere)])
    monkeypatch.setattr(process, "new_folder", lambda: tmp_path / "live" / "mnist-1")
    watching(studio).train()
    # Opening its session closes what was said before.
    until(qtbot, lambda: watching(studio).watch.is_on and studio.banner.texts() != ())
    learning_is_set(studio, qtbot)
    assert "could not be started" in studio.banner.texts()[0]
    (tmp_path / "file").touch()
    monkeypatch.setattr(process, "new_folder", lambda: tmp_path / "file" / "mnist-2")
    watching(studio).train()
    assert "cannot be created" in studio.banner.texts()[-1]


def test_old_runs_are_forgotten(tmp_path):
    for name in ("mnist-1", "mnist-2", "mnist-3", "mnist-4", "mine"):
        (tmp_path / name).mkdir()
    forget_runs(tmp_path / "mnist-4")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "mnist-2", "mnist-3", "mnist-4"]


def test_a_training_is_told_in_a_line():
    assert words_of(None, False) == "The training is starting …"
    assert words_of(None, True) == "The training did not start."
    done = process.Status("finished", 100, 100, 2.0, accuracy=0.99)
    assert words_of(done, True) == "Finished · epoch 2.0 · step 100 of 100 · accuracy 99.0 %"
    # The accuracy may be of before what the loss tells of.
    later = process.Status(
        "training", 90, 100, 1.8, 2.3, 0.97, checkpoint=Path("lenet-000000040.pt")
    )
    assert words_of(later, False).endswith("loss 2.300 · accuracy 97.0 % at step 40")
    assert words_of(process.Status("training", 50, 100, 1.0), True).startswith("Ended · epoch 1.0")
