"""Animations play after every frame, whatever happens to the program or the disk."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from contextlib import suppress
from io import FileIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ldam_studio.errors import StudioError
from ldam_studio.export.animation import animation as animation_module
from ldam_studio.export.animation import mp4, trail
from ldam_studio.export.animation.table import animation_writer
from ldam_studio.export.formats.animated import is_animation

OF_PICTURES = (".webp", ".png", ".gif")
SIZE = (17, 13)


def noise(number: int, size: tuple[int, int] = SIZE, channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(number)
    grey = rng.integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
    return np.broadcast_to(grey, (size[1], size[0], 3)).copy()


def played(path: Path) -> list[tuple[np.ndarray, float]]:
    """Return the pictures of an animation, each with the second at which it begins."""
    if path.suffix == ".mp4":
        av = pytest.importorskip("av")
        frames: list = []
        with av.open(str(path)) as file:
            for packet in file.demux(video=0):
                with suppress(av.InvalidDataError):  # a part of a packet, which players pass over
                    frames += packet.decode()
        return [(frame.to_ndarray(format="rgb24"), float(frame.time)) for frame in frames]
    pictures, begin = [], 0.0
    with Image.open(path) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            pictures.append((np.asarray(image.convert("RGB")), begin))
            begin += image.info["duration"] / 1000
    return pictures


@pytest.fixture(params=[".webp", ".png", ".gif", ".mp4"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == ".mp4":
        pytest.importorskip("av")
    return tmp_path / f"a{request.param}"


def test_every_frame_is_shown_at_its_time(path):
    pictures = [noise(number, channels=1) for number in range(4)]
    with animation_writer(path, SIZE, 30) as animation:
        for number, picture in enumerate(pictures):
            for _ in range(8 if number == 1 else 2):
                animation.add(picture)
        assert animation.frames == 14
        assert animation.bytes == path.stat().st_size or path.suffix == ".mp4"
    assert animation.bytes == path.stat().st_size
    found = played(path)
    lossy = path.suffix == ".mp4"
    assert len(found) == (14 if lossy else 4)
    at = {0: 0, 1: 2, 2: 10, 3: 12}
    for number, picture in enumerate(pictures):
        again, begin = found[at[number] if lossy else number]
        assert begin == pytest.approx(at[number] / 30, abs=0.006)
        if not lossy:
            assert (again == picture).all()
            continue
        assert again.shape == (14, 18, 3)  # odd sizes are padded
        assert np.abs(again[:13, :17].astype(int) - picture).mean() < 6


def test_it_plays_after_every_frame(path):
    with animation_writer(path, SIZE, 30) as animation:
        for number in range(5):
            animation.add(noise(number))
            late = 2 if path.suffix == ".mp4" else 0
            if number >= late:
                assert len(played(path)) == number + 1 - late
    assert len(played(path)) == 5
    assert is_animation(path) == (path.suffix != ".mp4")


def test_it_plays_whenever_the_program_is_killed(path, monkeypatch):
    """A killed process has written some of its calls, and perhaps a part of the last one."""
    left: list[tuple[int, bytes]] = []

    class Watched(FileIO):
        def write(self, data):
            data = bytes(data)
            short = len(data) <= 12  # which no system writes in two parts
            half = 0 if short else len(data) // 2
            for part in (data[:half], data[half:]):
                super().write(part)
                left.append((animation.frames, path.read_bytes()))
            return len(data)

    for module in (trail, mp4):
        monkeypatch.setattr(module, "opened", lambda path: Watched(path, "w+"))
    with animation_writer(path, SIZE, 30) as animation:
        for number in range(12):
            animation.add(noise(number // 2))
    apart, late = (1, 3) if path.suffix == ".mp4" else (2, 0)
    for frames, content in left:
        if frames > late:
            path.write_bytes(content)
            assert frames // apart - late <= len(played(path)) <= frames // apart + 1


def test_a_full_disk_leaves_what_was_written(path, monkeypatch):
    class Full(FileIO):
        def write(self, data):
            fits = bytes(data)[: max(0, Full.space - self.tell())]
            if not fits:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(fits)

    for module in (trail, mp4):
        monkeypatch.setattr(module, "opened", lambda path: Full(path, "w+"))
    for space in range(4000, 4500, 100):
        Full.space = space
        with animation_writer(path, SIZE, 30) as animation:
            sentence = "cannot be written any further .No space left on device.; it has the"
            with pytest.raises(StudioError, match=sentence):
                for number in range(20):
                    animation.add(noise(number))
            with pytest.raises(StudioError, match=sentence):
                animation.add(noise(0))
        assert animation.bytes == path.stat().st_size <= space
        found = len(played(path))
        assert animation.frames - animation.held_back <= found <= animation.frames
    Full.space = 100
    with animation_writer(path, SIZE, 30) as animation:
        with pytest.raises(StudioError, match=r"written .No space left on device.\. Free"):
            for number in range(4):  # of which encoders of video may hold some back
                animation.add(noise(number))
    assert not path.exists()


@pytest.mark.parametrize("frames", [120, pytest.param(10_000, marks=pytest.mark.thorough)])
def test_memory_and_work_do_not_grow(path, frames, monkeypatch):
    written: list[int] = []

    class Counted(FileIO):
        def write(self, data):
            written.append(len(data))
            return super().write(data)

    for module in (trail, mp4):
        monkeypatch.setattr(module, "opened", lambda path: Counted(path, "w+"))
    pictures = [noise(number, (8, 8)) for number in range(5)]
    parts = []
    tracemalloc.start()
    try:
        with animation_writer(path, (8, 8), 30) as animation:
            for number in range(frames):
                animation.add(pictures[number % 5])
                if number % (frames // 4) == frames // 4 - 1:
                    parts.append((tracemalloc.get_traced_memory()[0], len(written), sum(written)))
                    written.clear()
    finally:
        tracemalloc.stop()
    _, early, *_, late = parts
    assert late[0] - early[0] < 20_000 + 8 * frames  # the list of this test itself
    assert late[1:] == pytest.approx(early[1:], rel=0.05)


@pytest.mark.thorough
def test_it_plays_after_a_kill(path):
    code = f"""
        import os, signal
        import numpy as np
        from pathlib import Path
        from ldam_studio.export.animation.table import animation_writer
        animation = animation_writer(Path({str(path)!r}), (8, 8), 30)
        for number in range(100):
            animation.add(np.full((8, 8, 3), number, np.uint8))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(played(path)) >= 98


def test_a_picture_may_last_longer_than_a_format_can_say(tmp_path):
    for suffix in OF_PICTURES:
        path = tmp_path / f"a{suffix}"
        with animation_writer(path, SIZE, 0.1) as animation:
            for _ in range(77):
                animation.add(noise(1))
            animation.add(noise(2))
        assert animation.frames == 78
        found = played(path)
        assert found[-1][1] == 770
        assert [(picture == noise(1)).all() for picture, _ in found] == [True] * (
            len(found) - 1
        ) + [False]


def test_many_colours_stay_close_in_a_gif(tmp_path):
    path = tmp_path / "a.gif"
    down, right = np.mgrid[:64, :64]
    photo = np.stack((4 * down, 4 * right, 2 * (down + right)), -1).astype(np.uint8)
    with animation_writer(path, (64, 64), 30) as animation:
        animation.add(photo)
    apart = played(path)[0][0].astype(float) - photo
    assert (apart**2).mean() < 60  # 30 dB


def test_it_repeats_for_ever(tmp_path):
    for suffix in OF_PICTURES:
        path = tmp_path / f"a{suffix}"
        with animation_writer(path, SIZE, 30) as animation:
            animation.add(noise(0))
            animation.add(noise(1))
        with Image.open(path) as image:
            assert image.info["loop"] == 0


@pytest.mark.parametrize(
    ("name", "size", "rate", "sentence"),
    [
        ("a.avi", SIZE, 30, "a.avi has no suffix of an animation; use one of .webp, .png"),
        ("a.webp", (0, 5), 30, "at most 4,096 pixels in a row or column, and at least one, not 0"),
        ("a.gif", SIZE, 60, "a.gif can have from 0.1 to 50 frames per second, not 60"),
        ("a.webp", SIZE, float("nan"), "from 0.1 to 60 frames per second, not nan"),
        ("folder.gif", SIZE, 30, "is not a file, so it cannot be replaced by one"),
        ("file/a.gif", SIZE, 30, "cannot be written to"),
    ],
)
def test_what_cannot_be_written_is_said_first(tmp_path, name, size, rate, sentence):
    (tmp_path / "folder.gif").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(StudioError, match=sentence):
        animation_writer(tmp_path / name, size, rate)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.gif"]


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(StudioError, match=r"MP4 needs PyAV.* pip install 'ldam-studio\[video\]'"):
        animation_writer(tmp_path / "a.mp4", SIZE, 30)


def test_an_animation_without_frames_leaves_the_older_file(tmp_path):
    path = tmp_path / "a.webp"
    path.write_bytes(b"older")
    animation_writer(path, SIZE, 30).finish()
    assert path.read_bytes() == b"older"


def test_a_file_that_is_removed_meanwhile_is_said(tmp_path):
    folder = tmp_path / "folder"
    with pytest.raises(StudioError, match="is no longer there: it or its folder was removed"):
        with animation_writer(folder / "a.gif", SIZE, 30) as animation:
            animation.add(noise(0))
            shutil.rmtree(folder)


def test_the_bounds_of_an_animation_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr(animation_module, "MOST_FRAMES", 3)
    path = tmp_path / "a.webp"
    with animation_writer(path, SIZE, 30) as animation:
        for _ in range(3):
            animation.add(noise(0))
        with pytest.raises(StudioError, match="has 3 frames and 1 kB, and can have no more"):
            animation.add(noise(1))
    assert len(played(path)) == 1
