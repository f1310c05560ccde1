"""Photographs of every kind become images that a network takes."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ldam_studio.errors import StudioError
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.training import pictures
from ldam_studio.training.photograph import read_photograph

COLOUR = PixelSpec(3, 8, 8, (0.5,) * 3, (0.5,) * 3, rest=0.5)
GREY = PixelSpec(1, 8, 8, (0.5,), (0.5,))


def saved(folder, image, name="a.png", **given):
    path = folder / name
    image.save(path, **given)
    return path


def test_the_middle_is_cut_out_and_resized(tmp_path):
    wide = np.zeros((16, 48, 3), np.uint8)
    wide[:, 16:32, 0] = 255  # the square in the middle is red
    found = read_photograph(saved(tmp_path, Image.fromarray(wide)), COLOUR)
    assert found.pixels.shape == COLOUR.shape
    assert found.pixels[0].mean() > 0.95 and found.pixels[1:].max() == 0
    levels = found.pixels * 255
    assert torch.equal(levels.round(), levels) or (levels.round() - levels).abs().max() < 1e-4


def test_transparent_parts_have_the_rest_colour(tmp_path):
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    found = read_photograph(saved(tmp_path, clear), COLOUR)
    assert found.pixels.unique().tolist() == pytest.approx([128 / 255])
    palette = Image.new("P", (8, 8), 0)
    found = read_photograph(saved(tmp_path, palette, transparency=0), COLOUR)
    assert found.pixels.unique().tolist() == pytest.approx([128 / 255])


def test_a_photograph_stands_upright(tmp_path):
    top = np.zeros((8, 8, 3), np.uint8)
    top[:4] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    found = read_photograph(
        saved(tmp_path, Image.fromarray(top), "a.jpg", exif=exif, quality=95), COLOUR
    )
    assert found.pixels[:, :3].max() < 0.2 and found.pixels[:, 5:].min() > 0.8


def test_dark_strokes_on_paper_are_inverted_for_grey_networks(tmp_path):
    paper = np.full((8, 8), 250, np.uint8)
    paper[3:5, 3:5] = 10
    found = read_photograph(saved(tmp_path, Image.fromarray(paper)), GREY)
    assert found.inverted and found.pixels[0, 3, 3] > 0.9 and found.pixels[0, 0, 0] < 0.1
    again = read_photograph(tmp_path / "a.png", GREY, inverted=False)
    assert torch.equal(again.pixels.round(decimals=4), (1 - found.pixels).round(decimals=4))
    assert not read_photograph(saved(tmp_path, Image.fromarray(255 - paper)), GREY).inverted
    assert not read_photograph(saved(tmp_path, Image.fromarray(paper)), COLOUR).inverted


def test_pixels_have_the_units_and_order_of_the_network(tmp_path):
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    bytes_in_bgr = PixelSpec(3, 8, 8, (0.0,) * 3, (1.0,) * 3, maximum=255.0, shown=(2, 1, 0))
    found = read_photograph(saved(tmp_path, red), bytes_in_bgr).pixels
    assert found[:, 0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "F", "I", "YCbCr"])
def test_odd_modes_are_read(tmp_path, mode):
    image = Image.new("L", (9, 9), 200).convert(mode) if mode != "I;16" else None
    if image is None:
        image = Image.fromarray(np.full((9, 9), 50_000, np.uint16))
    if mode in ("I", "F"):
        image = Image.fromarray(np.full((9, 9), 0.75, np.float32))
    found = read_photograph(saved(tmp_path, image, "a.tif"), COLOUR)
    assert found.pixels.shape == COLOUR.shape and found.pixels.mean() > 0.6


def test_of_an_animation_the_first_picture_counts(tmp_path):
    frames = [Image.new("L", (8, 8), grey) for grey in (0, 255)]
    path = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    found = read_photograph(path, COLOUR)
    assert found.pixels.max() == 0


def test_one_pixel_is_a_photograph(tmp_path):
    found = read_photograph(saved(tmp_path, Image.new("RGB", (1, 1), (255, 255, 255))), COLOUR)
    assert found.pixels.min() == 1


def test_what_is_no_photograph_is_one_sentence(tmp_path, monkeypatch):
    torn = io.BytesIO()
    Image.new("RGB", (64, 64)).save(torn, "PNG")
    contents = {
        "text.jpg": b"no picture",
        "empty.png": b"",
        "torn.png": torn.getvalue()[:60],
        "page.ps.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        damaged = name == "torn.png"
        said = "cannot be read as a picture" if damaged else "is no picture of a common format"
        with pytest.raises(StudioError, match=said):
            read_photograph(tmp_path / name, COLOUR)
    with pytest.raises(StudioError):
        read_photograph(tmp_path / "missing.png", COLOUR)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 10)
    with pytest.raises(StudioError, match="too large to be read"):
        read_photograph(saved(tmp_path, Image.new("RGB", (8, 8))), COLOUR)


def test_networks_of_other_channels_take_no_photographs(tmp_path):
    path = saved(tmp_path, Image.new("RGB", (8, 8)))
    for channels in (2, 4):
        odd = PixelSpec(channels, 8, 8, (0.0,) * channels, (1.0,) * channels)
        with pytest.raises(StudioError, match=f"takes images of {channels} channels"):
            read_photograph(path, odd)
