"""``ldam-studio record`` makes an animation of the sessions of exported pictures."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ldam_studio.cli import main
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.export import exporting, rerun
from ldam_studio.export.animation.composing import BAND, GAP
from ldam_studio.export.exporting import export
from ldam_studio.export.formats import png
from ldam_studio.export.formats.table import read_recipe
from ldam_studio.export.recipe import pixel_hash
from ldam_studio.export.shown import Shown, picture_of
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

RAW = Shown("raw", front=1, display="image")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Bytes]]:
    """Export after seven steps; also return the pictures of the first ten."""
    lenet = open_network("lenet")
    settings = Settings.of(temperature=0.1, burn_in=2, discriminator_weight=0.0)
    state = open_session(SessionSpec(lenet, lenet.default_neurons(2), settings))
    changes = {2: [Change("melt", 2)], 4: [Change("restart", None)], 6: [Change("l2", 0.1)]}
    path = tmp_path_factory.mktemp("recorded") / "a.png"
    pictures = []
    for step in range(10):
        _, info = advance(state, changes.get(step, []), 0)
        assert not info.refused
        pictures.append(picture_of(state, RAW))
        if step == 7:
            export(state, RAW, path)
            export(state, Shown("averages"), path.with_name("grid.png"))
        state, _ = advance(state)
    return path, pictures


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export a grid of as many chains as at first; meanwhile there were more."""
    lenet = open_network("lenet")
    state = open_session(SessionSpec(lenet, lenet.default_neurons(2), Settings.of()))
    changes = {0: [Change("l2", 0.3)], 7: [Change("chains", 9)], 9: [Change("chains", 2)]}
    for step in range(10):
        state, _ = advance(state, changes.get(step, []))
    path = tmp_path_factory.mktemp("changing") / "a.png"
    export(state, Shown("strip"), path)
    return path


def interrupt_at(last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Ctrl-C be pressed in the step after this one."""
    steps = rerun.advance

    def interrupted(state, changes=(), *given):
        if state.step == last and not given:
            signal.raise_signal(signal.SIGINT)
        return steps(state, changes, *given)

    monkeypatch.setattr(rerun, "advance", interrupted)


def record(line: str, *more: object) -> int:
    return main(["record", *map(str, more), *shlex.split(line)])


def kilobytes(path: Path) -> int:
    return round(path.stat().st_size / 1000)


def frames(path: Path) -> list[Bytes]:
    found = []
    with Image.open(path) as image:
        for number in range(image.n_frames):
            image.seek(number)
            found.append(np.asarray(image.convert("RGB")))
    return found


@pytest.mark.parametrize(
    ("steps", "every", "shown"),
    [("0-9", 3, [0, 3, 6, 9]), ("5-9", 1, range(5, 10)), ("0-1", 9, [0]), ("3-3", 1, [3])],
)
def test_it_shows_the_session_as_it_was_and_goes_on(recorded, tmp_path, steps, every, shown):
    path, pictures = recorded
    out = tmp_path / "new" / "a.webp"
    assert record(f"--plain --size 64 --steps {steps} --every {every} --out {out}", path) == 0
    found = frames(out)
    assert len(found) == len(shown)
    for frame, step in zip(found, shown, strict=True):
        assert (frame[::2, ::2] == pictures[step]).all()
    assert [file.name for file in out.parent.iterdir()] == ["a.webp"]


@pytest.mark.parametrize("suffix", [".webp", pytest.param(".mp4", marks=pytest.mark.thorough)])
def test_after_a_stop_it_goes_on_with_the_same_bytes(
    recorded, tmp_path, monkeypatch, capsys, suffix
):
    if suffix == ".mp4":
        pytest.importorskip("av")
    pictures = recorded[0], recorded[0].with_name("grid.png")
    line = "--steps 0-9 --every 2 --what both --loop --fps 2 --size 100 --out "
    whole, stopped = tmp_path / f"whole{suffix}", tmp_path / f"stopped{suffix}"
    assert record(line + str(whole), *pictures) == 0
    for last in (2, 5):
        monkeypatch.undo()
        interrupt_at(last, monkeypatch)
        capsys.readouterr()
        assert record(line + str(stopped), *pictures) == 130
        assert "stopped, and the same command goes on" in capsys.readouterr().err
        assert stopped.stat().st_size
    assert record(line.replace("both", "raw") + str(stopped), *pictures) == 2
    assert "belongs to another animation that was stopped" in capsys.readouterr().err
    monkeypatch.undo()
    assert record(line + str(stopped), *pictures) == 0
    assert stopped.read_bytes() == whole.read_bytes()
    assert sorted(tmp_path.iterdir()) == [stopped, whole]


@pytest.mark.parametrize("last", [5, 7])
def test_after_a_stop_no_change_and_no_place_is_lost(changing, tmp_path, monkeypatch, last):
    """The stop comes before the first frame, or while there are more chains than at both ends."""
    pictures = [changing] * (2 if last == 5 else 1)
    whole, stopped = tmp_path / "whole.webp", tmp_path / "stopped.webp"
    line = "--steps 6-10 --plain --size 64 --out "
    assert record(line + str(whole), *pictures) == 0
    interrupt_at(last, monkeypatch)
    assert record(line + str(stopped), *pictures) == 130
    monkeypatch.undo()
    assert record(line + str(stopped), *pictures) == 0
    assert stopped.read_bytes() == whole.read_bytes()


def test_sessions_stand_side_by_side_below_their_titles(recorded, tmp_path, capsys):
    path, pictures = recorded
    out = tmp_path / "a.png"
    line = f"--steps 3-4 --size 90 --title one --title 'another, much too long for it' --out {out}"
    assert record(line, path, path) == 0
    assert capsys.readouterr().out == f"{out}: 2 frames, 0.1 s, {kilobytes(out)} kB\n"
    for frame, step in zip(frames(out), (3, 4), strict=True):
        assert frame.shape == (BAND + 56, 2 * 56 + GAP, 3)
        for left in (0, 56 + GAP):
            assert (frame[BAND::2, left : left + 56 : 2] == pictures[step]).all()


def test_grids_are_recorded_as_they_are_shown(recorded, tmp_path):
    path, _ = recorded
    out = tmp_path / "a.gif"
    grid = path.with_name("grid.png")
    assert record(f"--steps 0-8 --plain --size 64 --fps 20 --out {out}", grid) == 0
    assert frames(out)[-1].shape == (56, 114, 3)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--out a.avi", "a.avi has no suffix of an animation; use one of .webp, .png, .apng, .gif"),
        ("--out a.webp --every 0", "--every must lie between 1 and"),
        ("--out a.webp --steps 5-2", "--steps 5-2 is no range of steps"),
        ("--out a.webp --steps five", "--steps takes two numbers, such as 0-2000, not 'five'"),
        ("--out a.webp --steps 0-9000000", "would have 9,000,001 frames, and can have 200,000"),
        ("--out a.gif --fps 60", "a.gif can have from 0.1 to 50 frames per second, not 60"),
        ("--out a.webp --loop --fps nan", "from 0.1 to 60 frames per second, not nan"),
        ("--out a.webp --size 7", "--size must lie between 64 and 4096"),
        ("--out a.webp --title a --title b", "The number of pictures is 1, and that of titles 2"),
        ("--out file/a.webp", "cannot be written to"),
    ],
)
def test_wrong_flags_are_one_sentence(recorded, tmp_path, monkeypatch, capsys, line, sentence):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    assert record(line, recorded[0]) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_pictures_without_a_session_of_their_own_are_refused(recorded, tmp_path, capsys):
    Image.new("RGB", (5, 5)).save(tmp_path / "plain.png")
    assert record(f"--out {tmp_path / 'a.webp'}", tmp_path / "plain.png") == 2
    assert "contains no recipe" in capsys.readouterr().err
    picture = np.zeros((5, 5, 3), np.uint8)
    cell = {"neuron": "fc3:1", "step": 3, "chain": 0, "caption": "one"}
    sheet = {"title": "fc3", "cells": [list(cell.values())]}
    recipe = read_recipe(recorded[0]).having(sheet=sheet, pixels=pixel_hash(picture))
    (tmp_path / "sheet.png").write_bytes(png.encode(picture, recipe))
    assert record(f"--out {tmp_path / 'a.webp'}", tmp_path / "sheet.png") == 2
    assert "On a contact sheet, every neuron has a session of its own" in capsys.readouterr().err


def test_a_session_from_a_file_is_recorded_from_there(recorded, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(exporting, "LIMIT", 100)
    lenet = open_network("lenet")
    state = open_session(SessionSpec(lenet, lenet.default_neurons(2), Settings.of()))
    for _ in range(3):
        state, _ = advance(state)
    assert export(state, RAW, tmp_path / "a.png").sidecar is not None
    out = tmp_path / "a.webp"
    assert record(f"--steps 2-4 --out {out}", tmp_path / "a.png") == 2
    assert "begins at step 3, from a session file; choose --steps from" in capsys.readouterr().err
    assert record(f"--steps 3-4 --out {out}", tmp_path / "a.png") == 0
    assert len(frames(out)) == 2


def test_a_picture_is_not_replaced_by_its_animation(recorded, tmp_path, capsys):
    path = tmp_path / "a.png"
    path.write_bytes(recorded[0].read_bytes())
    assert record(f"--out {path.parent / 'x' / '..' / path.name}", path) == 2
    assert "is recorded and would be replaced; choose another" in capsys.readouterr().err
    assert path.read_bytes() == recorded[0].read_bytes()


def test_frames_that_are_lost_or_elsewhere_are_said(recorded, tmp_path, monkeypatch, capsys):
    line = f"--steps 0-9 --plain --size 64 --out {tmp_path / 'a.webp'}"
    interrupt_at(5, monkeypatch)
    assert record(line, recorded[0]) == 130
    monkeypatch.undo()
    frames = tmp_path / "a.webp.unfinished" / "frames"
    kept = frames.read_bytes()
    frames.write_bytes(kept[: 4 + int.from_bytes(kept[:4])])
    assert record(line, recorded[0]) == 2
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(kept)
    frames.unlink()
    frames.symlink_to(elsewhere)
    assert record(line, recorded[0]) == 2
    assert capsys.readouterr().err.count("is damaged; remove it to begin anew") == 2
    assert elsewhere.read_bytes() == kept


def test_a_damaged_folder_of_a_stopped_one_is_said(recorded, tmp_path, capsys):
    out = tmp_path / "a.webp"
    folder = tmp_path / "a.webp.unfinished"
    folder.mkdir()
    for content in (b"", b"[" * 10_000, b'{"key": 3}'):
        (folder / "about.json").write_bytes(content)
        assert record(f"--out {out}", recorded[0]) == 2
        assert "is damaged; remove it to begin anew" in capsys.readouterr().err
