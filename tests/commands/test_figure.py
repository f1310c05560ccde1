"""What every figure's command does, whatever it draws."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from ldam_studio import __version__
from ldam_studio.commands.shared.figure import Figure, Page, add_chains, add_output
from ldam_studio.commands.shared.progress import INTERRUPTED, Steps
from ldam_studio.errors import StudioError


def args_of(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_output(parser)
    add_chains(parser, chains=3, steps=5)
    return parser.parse_args(words)


def make(args: argparse.Namespace, steps: Steps) -> Page:
    steps.start(args.steps)
    steps.say("first row")
    for _ in range(args.steps):
        steps()
    return Page(b"picture", {"seed": args.seed, "steps": args.steps}, ["second row"])


def test_picture_and_numbers_are_written_and_the_table_is_printed(tmp_path: Path, capsys) -> None:
    assert Figure("one", "One", make).run(args_of("--out", str(tmp_path), "--seed", "7")) == 0
    picture, numbers = tmp_path / "one.png", tmp_path / "one.json"
    assert picture.read_bytes() == b"picture"
    found = json.loads(numbers.read_text())
    assert list(found.items()) == [("version", __version__), ("seed", 7), ("steps", 5)]
    told = capsys.readouterr().out.splitlines()
    assert told == ["first row", "second row", str(picture), str(numbers)]


def test_ctrl_c_writes_nothing_at_all(tmp_path: Path, capsys) -> None:
    def stop(_args: argparse.Namespace, _steps: Steps) -> Page:
        raise KeyboardInterrupt

    assert Figure("one", "One", stop).run(args_of("--out", str(tmp_path))) == INTERRUPTED
    assert capsys.readouterr().out == "stopped; nothing was written\n"
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_found_before_any_step(tmp_path: Path) -> None:
    def never(_args: argparse.Namespace, _steps: Steps) -> Page:
        raise AssertionError("begun")

    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudioError, match="cannot be written to"):
        Figure("one", "One", never).run(args_of("--out", str(tmp_path / "file")))


@pytest.mark.parametrize("words", ["--steps 0", "--chains-per-class 1", "--seed -1", "--steps x"])
def test_counts_out_of_range_are_one_sentence(words: str) -> None:
    with pytest.raises(StudioError, match=words.split()[0]):
        args_of(*words.split())
