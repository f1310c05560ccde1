"""What the command line says while a network opens."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from ldam_studio.commands.shared import progress
from ldam_studio.commands.shared.progress import EVERY_S, download
from ldam_studio.progress import LONG_S, Stage, tell


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_without_a_terminal_are_rare(capsys):
    clock = Clock()
    opening = progress._Opening("mine.py:net", Console(stderr=True), clock)
    for second in range(25):
        clock.now = float(second)
        opening.stage(Stage("looking for layers", second + 1, 100))
    opening.end()
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "opening mine.py:net: looking for layers: 11 of 100, about 89 s left",
        "opening mine.py:net: looking for layers: 21 of 100, about 79 s left",
    ]
    assert EVERY_S == 10


def test_a_terminal_shows_one_thing_at_a_time():
    clock, file = Clock(), io.StringIO()
    console = Console(file=file, force_terminal=True, width=100)
    opening = progress._Opening("big", console, clock)
    opening.stage(Stage("building big"))
    assert "building" not in file.getvalue()
    opening.bytes(1_000_000, 4_000_000)
    clock.now = LONG_S
    opening.stage(Stage("looking for layers", 1, 9))
    opening.bytes(2_000_000, 4_000_000)
    opening.stage(Stage("trying two images at once"))
    opening.end()
    assert "looking for layers: 1 of 9" in file.getvalue()
    assert "trying two images at once" in file.getvalue()


def test_short_openings_say_nothing(capsys):
    with download("lenet"):
        tell("building lenet")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_an_error_takes_the_bar_away():
    with pytest.raises(ZeroDivisionError), download("lenet"):
        raise ZeroDivisionError
