"""The README's pictures: made by the program, small enough to be looked at."""

from __future__ import annotations

import argparse
import io

import pytest
from PIL import Image

from ldam_studio.commands import pictures
from ldam_studio.errors import StudioError
from ldam_studio.gui.theme import theme


@pytest.fixture(autouse=True)
def _short(monkeypatch, qapp):
    for name, steps in (("SETTLE", 12), ("BEFORE", 10), ("MELT", 5), ("COLLAPSE", 10)):
        monkeypatch.setattr(pictures, name, steps)
    yield
    theme.apply(qapp, "dark")


def test_the_animation_moves_and_says_when_it_melts():
    film = Image.open(io.BytesIO(pictures.animation()))
    assert film.format == "WEBP"
    assert film.n_frames == 5
    frames = []
    for number in range(film.n_frames):
        film.seek(number)
        frames.append(film.convert("RGB").tobytes())
    assert len(set(frames)) == len(frames)
    assert film.size[0] < 500


def test_the_screenshot_shows_the_whole_window(qtbot, tmp_path):
    args = argparse.Namespace(out=tmp_path / "new", theme="light")
    assert pictures.run(args) == 0
    shot = Image.open(tmp_path / "new" / "studio.png")
    assert shot.size == pictures.SIZE
    assert (tmp_path / "new" / "melt.webp").stat().st_size < 2_000_000
    assert (tmp_path / "new" / "studio.png").stat().st_size < 300_000
    assert shot.convert("RGB").getpixel((3, 3)) == (0xF3, 0xF4, 0xF6)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "animation", lambda: b"")
    (tmp_path / "melt.webp").mkdir()
    with pytest.raises(StudioError, match=r"melt\.webp cannot be written"):
        pictures.run(argparse.Namespace(out=tmp_path, theme="dark"))
