"""Photographs from folders and zips: what is drawn, and what is refused."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ldam_studio.errors import StudioError
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.training.photograph import read_photograph
from ldam_studio.training.photos import LEAST_PHOTOS, draw_crops, find_photos
from ldam_studio.training.pictures import decoded


def jpeg(width: int, height: int, colour: tuple[int, int, int] = (200, 100, 50)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(content, "JPEG")
    return content.getvalue()


def folder_of(place: Path, pictures: dict[str, bytes]) -> Path:
    for name, content in pictures.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return place


def zip_of(place: Path, pictures: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(place, "w") as archive:
        for name, content in pictures.items():
            archive.writestr(name, content)
    return place


def many(width: int = 40, height: int = 30) -> dict[str, bytes]:
    return {f"some/{number:02d}.jpg": jpeg(width, height) for number in range(LEAST_PHOTOS)}


@pytest.mark.parametrize("flags", [1, 0], ids=["encrypted", "spoilt"])
def test_a_zip_that_cannot_be_unpacked_is_one_sentence(flags, tmp_path) -> None:
    place = tmp_path / "photos.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in many(200, 200).items():
            archive.writestr(name, content)
        offsets = [entry.header_offset for entry in archive.infolist()]
    data = bytearray(place.read_bytes())
    for offset in offsets:
        data[offset + 6] |= flags
        data[offset + 60 : offset + 90] = bytes(30)
    at = data.find(b"PK\1\2")
    while at >= 0:
        data[at + 8] |= flags
        at = data.find(b"PK\1\2", at + 1)
    place.write_bytes(data)
    with pytest.raises(StudioError, match=r"some/\d\d.jpg in .* cannot be read as a picture"):
        draw_crops([find_photos(place)], 5, (16, 24), torch.Generator().manual_seed(0))


@pytest.mark.parametrize("place", [folder_of, zip_of])
def test_folder_and_zip_hold_the_same(place, tmp_path) -> None:
    beside = {"notes.txt": b"no picture", "__MACOSX/some/._00.jpg": b"nor this"}
    photos = find_photos(place(tmp_path / "photos", many() | beside))
    assert photos.names == tuple(sorted(many()))
    crops = draw_crops([photos], 5, (16, 24), torch.Generator().manual_seed(0))
    assert crops.shape == (5, 3, 16, 24) and crops.dtype == torch.uint8
    assert (crops.float().mean((0, 2, 3)) - torch.tensor([200.0, 100, 50])).abs().max() < 4


def test_odd_pictures_are_the_same_wherever_they_are_read(tmp_path) -> None:
    """Training, the index and a photograph that is opened read them by one decoder."""
    deep = Image.fromarray(np.full((24, 24), 50_000, np.uint16))
    clear = Image.new("RGBA", (24, 24), (200, 0, 0, 0))
    level = round(50_000 / 257)
    for picture, expected in ((deep, level), (clear, 255)):
        content = io.BytesIO()
        picture.save(content, "PNG")
        place = tmp_path / str(expected)
        photos = folder_of(place, {f"{n}.png": content.getvalue() for n in range(LEAST_PHOTOS)})
        crops = draw_crops([find_photos(photos)], 1, (8, 8), torch.Generator().manual_seed(0))
        pixels = PixelSpec(3, 8, 8, (0.0,) * 3, (1.0,) * 3, rest=1.0)
        opened = read_photograph(photos / "0.png", pixels).pixels
        indexed = np.asarray(decoded(content.getvalue()).picture)
        assert crops.unique().tolist() == np.unique(indexed).tolist() == [expected]
        assert (255 * opened).round().unique().tolist() == [expected]


def test_crops_follow_from_their_generator(tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(noise).save(content, "PNG")
    pictures = {f"{number}.png": content.getvalue() for number in range(LEAST_PHOTOS)}
    photos = find_photos(folder_of(tmp_path, pictures))
    first, again, other = (
        draw_crops([photos], 4, (20, 20), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert len({crop.numpy().tobytes() for crop in first}) == 4


@pytest.mark.parametrize(("width", "height"), [(8, 8), (400, 30), (9, 300), (24, 16)])
def test_any_photograph_gives_crops_of_the_size(width, height, tmp_path) -> None:
    photos = find_photos(zip_of(tmp_path / "a.zip", many(width, height)))
    crops = draw_crops([photos], 3, (16, 24), torch.Generator().manual_seed(0))
    assert crops.shape == (3, 3, 16, 24)


def test_each_source_is_drawn_from_alike(tmp_path) -> None:
    white = {f"{number}.jpg": jpeg(8, 8, (255, 255, 255)) for number in range(10 * LEAST_PHOTOS)}
    black = {f"{number}.jpg": jpeg(8, 8, (0, 0, 0)) for number in range(LEAST_PHOTOS)}
    sources = [
        find_photos(zip_of(tmp_path / "w.zip", white)),
        find_photos(zip_of(tmp_path / "b.zip", black)),
    ]
    crops = draw_crops(sources, 200, (4, 4), torch.Generator().manual_seed(0))
    assert 70 < int((crops.float().mean((1, 2, 3)) > 128).sum()) < 130


def test_grey_and_transparent_pictures_become_rgb(tmp_path) -> None:
    pictures = {}
    for mode in ("L", "RGBA", "P", "CMYK"):
        content = io.BytesIO()
        Image.new(mode, (10, 10)).save(content, "TIFF")
        pictures |= {f"{mode}{n}.tif": content.getvalue() for n in range(LEAST_PHOTOS // 4)}
    photos = find_photos(folder_of(tmp_path, pictures))
    assert draw_crops([photos], 20, (8, 8), torch.Generator().manual_seed(0)).shape[1] == 3


def test_a_photograph_that_is_a_program_is_not_run(tmp_path, monkeypatch) -> None:
    started = []
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **_: started.append(args))
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\nshowpage\n%%EOF\n"
    pictures = {f"{number}.jpg": script for number in range(LEAST_PHOTOS)}
    with pytest.raises(StudioError, match=r"jpg in .* cannot be read as a picture"):
        draw_crops([find_photos(folder_of(tmp_path, pictures))], 1, (8, 8), torch.Generator())
    assert not started


def test_what_holds_no_photographs_is_refused(tmp_path) -> None:
    with pytest.raises(StudioError, match="cannot be read"):
        find_photos(tmp_path / "nowhere.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK nothing")
    with pytest.raises(StudioError, match="not a zip file"):
        find_photos(tmp_path / "broken.zip")
    with pytest.raises(StudioError, match=f"at least {LEAST_PHOTOS}"):
        find_photos(folder_of(tmp_path / "few", {"a.jpg": jpeg(8, 8)}))


def test_a_damaged_photograph_is_named(tmp_path) -> None:
    photos = find_photos(folder_of(tmp_path, dict.fromkeys(many(), b"no picture")))
    with pytest.raises(StudioError, match=r"some/\d\d.jpg in .* cannot be read"):
        draw_crops([photos], 1, (8, 8), torch.Generator().manual_seed(0))


def test_a_vanished_photograph_is_named(tmp_path) -> None:
    photos = find_photos(folder_of(tmp_path, many()))
    for name in photos.names:
        (tmp_path / name).unlink()
    with pytest.raises(StudioError, match="cannot be read"):
        draw_crops([photos], 1, (8, 8), torch.Generator().manual_seed(0))
