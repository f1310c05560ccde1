"""What ``ldam-studio replay`` says on its way and at its end."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from ldam_studio.cli import main
from ldam_studio.commands.shared.progress import ProgressLines
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.comparison import LaneSpec
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export import replay as again
from ldam_studio.export.exporting import export
from ldam_studio.export.replay import steps_to_replay
from ldam_studio.export.shown import Shown
from ldam_studio.gui.exporting.recipe_note import recipe_note
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings


@pytest.fixture
def picture(tmp_path: Path):
    """Write a picture of two networks that were compared from step 5 on, at step 8."""
    lenet = open_network("lenet")
    spec = SessionSpec(lenet, lenet.default_neurons(2), Settings.of(temperature=0.1))
    state = open_session(spec)
    for step in range(8):
        beside = [Change("compare", LaneSpec(open_network("lenet-averaged")))] if step == 5 else []
        state, info = advance(state, beside)
        assert not info.refused
    assert steps_to_replay(state) == 3
    export(state, Shown("raw"), tmp_path / "a.png")
    return str(tmp_path / "a.png")


def test_the_steps_at_both_ends_are_the_same(picture, capsys):
    assert main(["replay", picture]) == 0
    captured = capsys.readouterr()
    assert "replaying 3 steps\n" in captured.err
    assert (
        "identical: the last 3 of 8 steps, which determine the picture, gave the same"
        in captured.out
    )
    assert main(["replay", picture, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["steps"], found["replayed"]) == (8, 3)


def test_how_the_precision_was_come_by_is_no_difference(picture, capsys, monkeypatch):
    there = again.device_of
    monkeypatch.setattr(again, "device_of", lambda state: there(state) | {"tried": True})
    assert main(["replay", picture]) == 0
    assert "differs" not in capsys.readouterr().out


def test_stopping_it_is_a_sentence(picture, capsys, monkeypatch):
    picture_of_steps = again.rerun

    def interrupted(recipe, files, on_step):
        signal.raise_signal(signal.SIGINT)
        return picture_of_steps(recipe, files, on_step)

    monkeypatch.setattr(again, "rerun", interrupted)
    assert main(["replay", picture, "--json"]) == 130
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "stopped after 1 of 3 steps; nothing was compared" in captured.err


def test_lines_come_now_and_then_with_share_and_time_left(capsys):
    now = 0.0
    lines = ProgressLines("replaying", lambda: now)
    for done in range(1, 10_001):
        lines.tell(done, 10_000)
        now += 0.01
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "replaying 10,000 steps"
    assert said[1] == "replaying: 10% of 10,000 steps, about 90 s left"
    assert len(said) == 10


def test_the_export_dialog_says_that_a_replay_takes_long():
    assert "repeats all 25,000 steps" in recipe_note((), lambda network: (), 25_000)
    assert "steps" not in recipe_note((), lambda network: (), 300)
