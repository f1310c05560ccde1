"""Pictures of strangers: broken, huge, animated, with odd pixels."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explore.real_pictures import encoded, folder_of, scene, small_network
from ldam_studio.errors import StudioError
from ldam_studio.explore.real_images import folders, shards
from ldam_studio.explore.real_images.index import open_index
from ldam_studio.explore.real_images.indexing import build
from ldam_studio.explore.real_images.pictures import fitted
from ldam_studio.explore.real_images.sources import spec_of
from ldam_studio.explore.real_images.standing import report_words
from ldam_studio.networks.neurons import Neuron
from ldam_studio.training import pictures
from ldam_studio.training.pictures import ANIMATED, CONVERTED, NotAPictureError, decoded

GREY = Image.new("L", (20, 16), 120)


def mean_of(data: bytes) -> float:
    return float(np.asarray(decoded(data).picture).mean())


def test_odd_pixels_become_plain_colours() -> None:
    deep = Image.fromarray(np.full((16, 20), 120 * 257, np.uint16))
    clear = GREY.convert("RGBA")
    clear.putalpha(0)
    for picture, kind, level in (
        (GREY.convert("CMYK"), "TIFF", 120),
        (deep, "PNG", 120),
        (deep.convert("I"), "TIFF", 120),
        (Image.fromarray(np.full((16, 20), 120 / 255, np.float32)), "TIFF", 120),
        (GREY.convert("P"), "PNG", 120),
        (clear, "PNG", 255),
        (GREY.convert("1", dither=Image.Dither.NONE), "PNG", 0),
    ):
        found = decoded(encoded(picture, kind))
        assert found.picture.mode == "RGB"
        assert found.notes == {CONVERTED}, (picture.mode, kind)
        assert np.asarray(found.picture).mean() == pytest.approx(level, abs=2), picture.mode
    assert decoded(encoded(GREY)).notes == frozenset()


def test_the_first_of_several_images_counts() -> None:
    rest = [scene(n) for n in range(1, 4)]
    for kind in ("WEBP", "PNG", "TIFF"):
        lossless = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(scene(0), kind, save_all=True, append_images=rest, **lossless)
        found = decoded(data)
        assert ANIMATED in found.notes
        np.testing.assert_array_equal(found.picture, scene(0))


def test_a_picture_lies_as_its_camera_was_held() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(scene(0, 40, 30), "JPEG", exif=exif)
    assert decoded(data).picture.size == (30, 40)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a picture"),
        (b"GIF89a" + bytes(50), "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (encoded(scene(0, 400, 300), "JPEG")[:2000], "damaged"),
        (encoded(scene(0, 400, 300))[:2000], "damaged"),
        (encoded(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"), "without numbers"),
    ],
)
def test_what_is_no_picture_is_said_in_two_words(data, why) -> None:
    with pytest.raises(NotAPictureError, match=why):
        decoded(data)


def test_a_huge_picture_is_refused_before_it_is_unpacked(monkeypatch) -> None:
    monkeypatch.setattr(pictures, "MOST_PIXELS", 1000)
    with pytest.raises(NotAPictureError, match="too large"):
        decoded(encoded(scene(0, 200, 100)))


def test_a_photograph_is_cut_out_and_a_fitting_picture_is_not() -> None:
    pixels = small_network().pixels
    wide = np.zeros((32, 96, 3), np.uint8)
    wide[:, 32:64] = 200
    assert fitted(Image.fromarray(wide), pixels).min() > 190
    own = scene(3, pixels.width, pixels.height)
    np.testing.assert_array_equal(fitted(own, pixels).transpose(1, 2, 0), np.asarray(own))


def test_a_folder_of_all_kinds_is_reported_in_sentences(tmp_path) -> None:
    place = folder_of(tmp_path / "photos", 6)
    (place / "a-broken.jpg").write_bytes(encoded(scene(0), "JPEG")[:300])
    (place / "b-empty.png").write_bytes(b"")
    (place / "c-nowhere.png").symlink_to(tmp_path / "nothing.png")
    (place / "d-folder.jpg").mkdir()
    (place / "round").symlink_to(place)
    (place / "moving.webp").write_bytes(
        encoded(scene(20), "WEBP", save_all=True, append_images=[scene(21)])
    )
    (place / "print.jpg").write_bytes(encoded(scene(22).convert("CMYK"), "JPEG"))
    (place / "._hidden.jpg").write_bytes(b"of macOS")
    (place / "notes.txt").write_text("no picture")
    network, spec = small_network(), spec_of(str(place))
    report = build(network, spec, ("6",))
    index = open_index(network, spec)
    words = report_words(report, len(index.catalogue.names))
    assert index.count("6") == 8
    assert words.startswith("3 of 11 files could not be read: a-broken.jpg (damaged), ")
    assert "1 picture is animated: only the first image counts." in words
    assert "1 picture was converted" in words
    # The second time nothing is decoded, and the same is said.
    assert report_words(build(network, spec, ("6",)), 11) == words


def test_a_zip_is_read_like_a_folder(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for number in range(5):
            archive.writestr(f"some/{number}.png", encoded(scene(number)))
        archive.writestr("some/broken.png", b"broken")
    network, spec = small_network(), spec_of(str(tmp_path / "photos.zip"))
    assert build(network, spec, ("6",)).unread_count == 1
    index = open_index(network, spec)
    assert index.count("6") == 5
    best = index.top(index.responses(Neuron("6", 0)), 2)
    assert len(index.pictures([each.image for each in best])) == 2
    (tmp_path / "photos.zip").write_bytes(b"PK damaged")
    with pytest.raises(Exception, match="neither a folder nor a zip"):
        build(network, spec, ("6",))


def test_names_that_are_not_utf8_are_read_and_found_again(tmp_path) -> None:
    place = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))
    try:
        place.mkdir()
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    (place / os.fsdecode(b"\xff.png")).write_bytes(encoded(scene(1)))
    network, spec = small_network(), spec_of(str(place))
    for _ in range(2):
        assert build(network, spec, ["6"]).total == 1
    index = open_index(network, spec, 0)
    assert index is not None
    assert index.count("6") == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_a_pipe_is_no_zip_and_no_shard(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    network = small_network()
    with pytest.raises(StudioError, match="neither a folder nor a zip"):
        build(network, spec_of(str(tmp_path / "pipe.zip")), ["6"])
    spec = spec_of(str(folder_of(tmp_path / "pictures", 2)))
    kept = shards.folder() / shards.key_of(network)
    kept.mkdir(parents=True)
    os.mkfifo(kept / f"forged{shards.SUFFIX}")
    assert build(network, spec, ["6"]).total == 2
    (catalogue,) = shards.folder().glob(f"*{shards.SUFFIX}")
    catalogue.unlink()
    os.mkfifo(catalogue)
    assert open_index(network, spec, 0) is None
    assert build(network, spec, ["6"]).total == 2


def test_names_in_a_zip_that_lead_out_of_it_are_left_out(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        for number, name in enumerate(("../../out.png", "/out.png", "in.png")):
            archive.writestr(name, encoded(scene(number)))
    network, spec = small_network(), spec_of(str(tmp_path / "out.zip"))
    assert build(network, spec, ["6"]).total == 1
    index = open_index(network, spec, 0)
    assert index is not None
    assert index.catalogue.names == ("in.png",)


def test_sizes_that_a_zip_only_claims_are_no_hindrance(tmp_path) -> None:
    place = tmp_path / "claims.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for number, name in enumerate(("a.png", "b.png")):
            archive.writestr(name, encoded(scene(number)))
            archive.getinfo("a.png").file_size = 2**64 - 2
    network, spec = small_network(), spec_of(str(place))
    assert build(network, spec, ["6"]).unread_count == 1
    assert open_index(network, spec, 0) is not None


@pytest.mark.parametrize("text", ["x" * 5000, "~nobody-is-called-this/x", "a\0b"])
def test_what_names_no_folder_is_one_sentence(text) -> None:
    with pytest.raises(StudioError, match="There is no folder or zip"):
        spec_of(text)


def test_pictures_are_sorted_in_parts(monkeypatch) -> None:
    monkeypatch.setattr(folders, "RUN", 3)
    found = [(f"{7 * number % 11}.png", number, 0) for number in range(11)]
    assert folders.in_order(found) == sorted(found)
    assert folders.in_order(iter(())) == []
