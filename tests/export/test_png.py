"""Reading and writing pictures: what is refused, and that nothing is left behind."""

from __future__ import annotations

import errno
import json
import os
import struct
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from former_formats import in_format_1
from ldam_studio import files
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export import exporting, recipe
from ldam_studio.export.exporting import export
from ldam_studio.export.formats.png import KEY, encode
from ldam_studio.export.formats.table import read, read_recipe
from ldam_studio.export.locate import Nearby
from ldam_studio.export.recipe import Recipe
from ldam_studio.export.replay import compare
from ldam_studio.export.rerun import rerun
from ldam_studio.export.shown import MOST_PIXELS, Shown, picture_of
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.weights import read_saved, write_weights


@pytest.fixture
def state() -> SessionState:
    network = open_network("lenet")
    state = open_session(SessionSpec(network, network.default_neurons(3)))
    state, _ = advance(state)
    return state


@pytest.fixture
def picture(state: SessionState, tmp_path: Path) -> Path:
    return export(state, Shown("raw", zoom=2), tmp_path / "picture.png").path


def with_recipe(path: Path, text: str | None) -> Path:
    """Write the picture again with another recipe, or none."""
    with Image.open(path) as image:
        image.load()
        texts = PngInfo()
        if text is not None:
            texts.add_text(KEY, text)
        image.save(path, pnginfo=texts)
    return path


def forged(path: Path, **changes: object) -> Path:
    """Alter the recipe and make its hash fit."""
    return written(path, dict(read_recipe(path).data) | changes)


def written(path: Path, data: dict[str, Any]) -> Path:
    """Write a recipe into a picture, with a hash that fits."""
    data["sha256"] = recipe._hash({k: v for k, v in data.items() if k != "sha256"})
    return with_recipe(path, json.dumps(data))


def test_a_picture_is_what_the_window_shows(state: SessionState, picture: Path):
    with Image.open(picture) as image:
        assert image.size == (56, 56)
        assert image.info["Software"].startswith("LDAM Studio")
        pixels = np.asarray(image)
    assert (pixels == picture_of(state, Shown("raw", zoom=2))).all()
    assert (pixels[0::2, 0::2] == pixels[1::2, 1::2]).all()


def test_the_recipe_says_all_there_is_to_know(state: SessionState, picture: Path):
    data = read_recipe(picture).data
    (lane,) = data["session"]["lanes"]
    assert lane["network"]["sha256"] == state.lane.network.sha256
    assert lane["neurons"] == ["fc3:0", "fc3:1", "fc3:2"]
    assert data["session"]["seed"] == 0
    assert data["step"] == 1
    assert data["machine"]["torch"] and data["machine"]["threads"] == 1
    assert data["machine"]["device"] and data["machine"]["precision"] == "float32"
    assert data["shown"]["what"] == "raw" and data["shown"]["average_over"] == "time"
    (progress,) = data["lanes"]
    assert progress["burned_in"] == [False] * 3 and progress["settling"] == [False] * 3


def test_a_settling_session_says_so(state: SessionState, tmp_path: Path):
    state, _ = advance(state, [Change("burn_in", 0)])
    state, _ = advance(state, [Change("temperature", 2.0)])
    exported = export(state, Shown("averages"), tmp_path / "a.png")
    assert exported.settling and exported.burned_in
    (progress,) = read_recipe(exported.path).data["lanes"]
    assert progress["settling"] == [True] * 3


def test_recompressing_keeps_a_picture_valid(picture: Path):
    text = read_recipe(picture).text
    with_recipe(picture, text)
    assert read_recipe(picture).text == text


def refuse(path: Path, words: str) -> None:
    with pytest.raises(StudioError, match=words) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_missing(tmp_path: Path):
    refuse(tmp_path / "none.png", "no file")


def test_not_a_picture(tmp_path: Path):
    (tmp_path / "a.png").write_text("hello")
    refuse(tmp_path / "a.png", "not a PNG")


def test_a_jpeg_named_png(tmp_path: Path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", "JPEG")
    refuse(tmp_path / "a.png", "not a PNG")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_cut_short(picture: Path, share: float):
    data = picture.read_bytes()
    picture.write_bytes(data[: int(len(data) * share)])
    refuse(picture, "damaged|not a PNG|no recipe")


def test_without_a_recipe(picture: Path):
    refuse(with_recipe(picture, None), "contains no recipe")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", "[" * 100_000])
def test_a_recipe_that_is_none(picture: Path, text: str):
    refuse(with_recipe(picture, text), "damaged")


def test_an_altered_recipe(picture: Path):
    text = read_recipe(picture).text
    refuse(with_recipe(picture, text.replace('"seed":0', '"seed":1')), "recipe .* was changed")


def test_altered_pixels(picture: Path):
    text = read_recipe(picture).text
    with Image.open(picture) as image:
        image.load()
        image.putpixel((5, 5), (1, 2, 3))
        texts = PngInfo()
        texts.add_text(KEY, text)
        image.save(picture, pnginfo=texts)
    refuse(picture, "pixels .* were changed")


def test_a_later_format(picture: Path):
    refuse(forged(picture, format=99), "later version of LDAM Studio")


@pytest.mark.parametrize(
    "changes",
    [
        {"step": -1},
        {"step": 10**30},
        {"step": "many"},
        {"log": [[1]]},
        {"log": [["one", "temperature", 1]]},
        {"log": {}},
        {"end": {}},
        {"end": {"neurons": ["fc3:0"] * 5000}},
        {"shown": {}},
        {"shown": {"what": "everything"}},
        {"shown": {"what": "raw", "zoom": 10**9}},
        {"shown": {"what": "raw", "front": "first"}},
        {"shown": {"what": "raw", "unknown": 1}},
        {"session": None},
        {"lanes": []},
        {"lanes": [{"samples": ["many"], "burned_in": [], "settling": []}]},
        {"log": [[0, "l2", 0.1, 8]]},
        {"log": [[0, "l2", 0.1, 0, 0]]},
        {"end": "\ud800"},  # half a character, which no UTF-8 has
    ],
)
def test_a_forged_recipe_is_refused_in_one_sentence(picture: Path, changes: dict):
    if changes == {"shown": {}}:
        # All defaults: a valid way to ask for the average.
        assert read_recipe(forged(picture, **changes)).shown == Shown()
        return
    refuse(
        forged(picture, **changes),
        "changed|is not valid|what it shows|must be one of|can be exported|zoom|front",
    )


@pytest.mark.parametrize(
    "changes",
    [{"format": 3}, {"format": 2, "second": 7}, {"samples": ["many"]}, {"end": {}}],
)
def test_a_forged_recipe_of_an_earlier_format_is_refused_in_one_sentence(
    picture: Path, changes: dict
):
    earlier = in_format_1(read_recipe(picture).data)
    assert read_recipe(written(picture, earlier)).shown == Shown("raw", zoom=2)
    refuse(written(picture, earlier | changes), "is not valid")


@pytest.mark.parametrize(
    "changes",
    [
        {"log": [[0, "temperature", "hot"]]},
        {"log": [[0, "teleport", 1]]},
        {"log": [[0, "neurons", ["fc3:99"]]]},
        {"log": [[0, "neurons", [5]]]},
        {"log": [[0, "neurons", 5]]},
        {"log": [[0, "network", "lenet"]]},
        {"log": [[0, "network", {}]]},
        {"log": [[0, "discriminator", {"name": 5}]]},
        {"log": [[0, "seed", None]]},
        {"log": [[0, "melt", "yes"]]},
        {"log": [[99, "temperature", 1.0]]},
        {"log": [[0, "compare", {}]]},
        {"log": [[0, "compare", None, 5]]},
        {"session": {}},
        {"session": {"lanes": []}},
        {"session": {"lanes": [{}] * 9}},
        {"session": {"network": 5}},
        {"session": {"sidecar": {}}},
        {"session": {"sidecar": {"file": "../../etc/passwd"}}},
        {"session": {"sidecar": 5}},
        {"session": {"network": "\ud800"}},
    ],
)
def test_a_forged_session_is_refused_in_one_sentence(picture: Path, changes: dict):
    with pytest.raises(StudioError) as caught:
        rerun(read_recipe(forged(picture, **changes)), Nearby(picture.parent))
    assert "\n" not in str(caught.value)


def moved_weights(state: SessionState, folder: Path) -> tuple[Path, Path]:
    """Export a session on a network from a file; returns picture and file."""
    shipped, _ = read_saved(open_network("lenet").weights or asset_of_lenet())
    file = folder / "elsewhere" / "mine.safetensors"
    write_weights(file, shipped, {})
    network = open_network("lenet", file)
    state = open_session(SessionSpec(network, network.default_neurons(3)))
    state, _ = advance(state)
    return export(state, Shown("raw"), folder / "mine.png").path, file


def asset_of_lenet() -> Path:
    from ldam_studio.assets import asset

    return asset("models", "lenet.safetensors")


def test_weights_that_are_missing_or_lie_beside_the_picture(state: SessionState, tmp_path: Path):
    path, file = moved_weights(state, tmp_path)
    assert compare(path).identical
    beside = file.rename(tmp_path / file.name)
    assert compare(path).identical
    renamed = beside.rename(tmp_path / "renamed.safetensors")
    assert compare(path).identical
    (tmp_path / "hidden").mkdir()
    hidden = renamed.rename(tmp_path / "hidden" / "hidden.safetensors")
    with pytest.raises(StudioError, match=r"weights .*mine\.safetensors .* missing"):
        compare(path)
    assert compare(path, Nearby(tmp_path, [hidden])).identical


def test_weights_that_differ(state: SessionState, tmp_path: Path):
    path, file = moved_weights(state, tmp_path)
    other, _ = read_saved(file)
    other["fc3.bias"] = other["fc3.bias"] + 1
    write_weights(file, other, {})
    with pytest.raises(StudioError, match="not those that were used"):
        compare(path)


def test_an_average_of_nothing(state: SessionState, tmp_path: Path):
    state, _ = advance(state, [Change("reset_average")], 0)
    with pytest.raises(StudioError, match="There is no average yet"):
        export(state, Shown("average"), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_chain_that_is_not_there(state: SessionState, tmp_path: Path):
    with pytest.raises(StudioError, match="chains 1 to 3"):
        export(state, Shown("raw", front=3), tmp_path / "a.png")


def test_a_folder_that_is_a_file(state: SessionState, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="cannot be written"):
        export(state, Shown("raw"), tmp_path / "file" / "a.png")


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_full_disk_leaves_nothing_behind_and_loses_nothing(
    state: SessionState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
):
    """Also where the sidecar still found room and the picture did not."""
    monkeypatch.setattr(exporting, "LIMIT", 10)
    state, _ = advance(state, [Change("temperature", 1.0)])
    origin, log = state.origin, list(state.log)
    calls = []

    class FullDisk(BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_until_full(path: Path, mode: str):
        calls.append(path)
        return FullDisk() if len(calls) == fails_at else path.open(mode)

    monkeypatch.setattr(files, "open", open_until_full, raising=False)
    with pytest.raises(StudioError, match="No space left on device"):
        export(state, Shown("raw"), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
    assert (state.origin, state.log) == (origin, log)


def test_an_older_picture_survives_a_failure(
    state: SessionState, picture: Path, monkeypatch: pytest.MonkeyPatch
):
    before = picture.read_bytes()

    def refuse_to_rename(*_args: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "replace", refuse_to_rename)
    with pytest.raises(StudioError):
        export(state, Shown("raw"), picture)
    assert picture.read_bytes() == before
    assert list(picture.parent.iterdir()) == [picture]


def test_encoding_is_repeatable(state: SessionState):
    picture = picture_of(state, Shown("raw"))
    written = Recipe.of(state, Shown("raw"), picture)
    assert encode(picture, written) == encode(picture, written)


def test_a_picture_of_one_very_long_row_is_one_sentence(tmp_path: Path):
    def part(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", MOST_PIXELS, 1, 16, 6, 0, 0, 0)  # Pillow has no room for it
    path = tmp_path / "long.png"
    parts = (part(b"IHDR", head), part(b"IDAT", zlib.compress(bytes(9))), part(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    with pytest.raises(StudioError, match="or than there is memory for"):
        read(path)


@pytest.mark.parametrize("side", [10_000, 14_000])  # Pillow warns of one, refuses the other
def test_a_picture_that_says_to_be_huge_is_refused_before_it_is_unpacked(tmp_path: Path, side: int):
    data = BytesIO()
    Image.new("1", (side, side)).save(data, "PNG")
    assert len(data.getvalue()) < 500_000
    path = tmp_path / "huge.png"
    path.write_bytes(data.getvalue())
    tracemalloc.start()
    with pytest.raises(StudioError, match=r"more pixels than any exported picture \(89,478,485\)"):
        read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
