"""Reading MNIST's files, and the shipped sample of digits."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ldam_studio.errors import StudioError
from ldam_studio.training import data
from ldam_studio.training.data import FILES, Digits, load_digits_sheet, load_mnist
from synthetic import bars, write_idx, write_mnist


@pytest.fixture(autouse=True)
def _no_data_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LDAM_DATA", raising=False)
    monkeypatch.setattr(data, "cache_folder", lambda: tmp_path / "cache")


def is_one_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text


def test_reads_what_was_written(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    digits = load_mnist(tmp_path, "train")
    images, labels = bars(300, 5)
    assert digits.images.dtype == torch.uint8 and digits.images.shape == (300, 1, 28, 28)
    assert np.array_equal(digits.images[:, 0].numpy(), images)
    assert np.array_equal(digits.labels.numpy(), labels)
    assert len(digits) == 300 and len(load_mnist(tmp_path, "test")) == 50
    assert digits.pixels().dtype == torch.float32 and float(digits.pixels().max()) == 1.0


@pytest.mark.parametrize("below", ["", "mnist", "MNIST/raw"])
def test_finds_files_where_they_usually_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    folder = write_mnist(tmp_path / "data" / below)
    assert data.find_mnist(tmp_path / "data") == folder
    monkeypatch.setenv("LDAM_DATA", str(tmp_path / "data"))
    assert data.find_mnist() == folder


def test_falls_back_to_the_cache(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path / "cache" / "MNIST" / "raw")
    assert data.find_mnist() == folder


def test_a_named_folder_is_not_replaced_by_another(tmp_path: Path) -> None:
    write_mnist(tmp_path / "cache")
    with pytest.raises(StudioError) as raised:
        load_mnist(tmp_path / "nowhere", "train")
    assert "nowhere" in str(raised.value) and "--data" in str(raised.value)
    assert is_one_sentence(str(raised.value))


def test_says_which_file_is_missing(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / FILES["test"][1]).unlink()
    with pytest.raises(StudioError, match=FILES["test"][1]):
        load_mnist(tmp_path, "train")


def test_says_that_the_files_are_in_different_folders(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "mnist").mkdir()
    (tmp_path / FILES["test"][1]).rename(tmp_path / "mnist" / FILES["test"][1])
    with pytest.raises(StudioError, match="in different folders"):
        load_mnist(tmp_path, "train")


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _no_gzip(path: Path) -> None:
    path.write_bytes(gzip.decompress(path.read_bytes()))


def _short(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))


def _another_format(path: Path) -> None:
    path.write_bytes(gzip.compress(b"P5 28 28 255 " + bytes(784)))


def _header_only(path: Path) -> None:
    path.write_bytes(gzip.compress(b"\0\0\x08\x03\0\0"))


@pytest.mark.parametrize(
    "damage", [_truncated, _flipped, _empty, _no_gzip, _short, _another_format, _header_only]
)
@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, damage, which: int) -> None:
    path = write_mnist(tmp_path) / FILES["train"][which]
    damage(path)
    with pytest.raises(StudioError) as raised:
        load_mnist(tmp_path, "train")
    assert path.name in str(raised.value) and is_one_sentence(str(raised.value))


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    write_idx(tmp_path / FILES["train"][0], np.zeros((300, 32, 32), np.uint8))
    with pytest.raises(StudioError, match="not 28x28"):
        load_mnist(tmp_path, "train")


@pytest.mark.parametrize("labels", [np.zeros(299), np.full(300, 10), np.zeros((300, 1))])
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, labels) -> None:
    write_mnist(tmp_path)
    write_idx(tmp_path / FILES["train"][1], labels.astype(np.uint8))
    with pytest.raises(StudioError, match="one label"):
        load_mnist(tmp_path, "train")


def test_download_is_tried_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def download(root: str, download: bool) -> None:
        calls.append(root)
        write_mnist(Path(root) / "MNIST" / "raw")

    monkeypatch.setattr("torchvision.datasets.MNIST", download)
    with pytest.raises(StudioError, match="--download"):
        load_mnist(None, "train")
    assert not calls
    assert len(load_mnist(None, "train", download=True)) == 300
    assert len(load_mnist(None, "train", download=True)) == 300 and len(calls) == 1


def test_a_download_that_fails_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(root: str, download: bool) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.datasets.MNIST", download)
    with pytest.raises(StudioError) as raised:
        load_mnist(None, "train", download=True)
    assert is_one_sentence(str(raised.value)) and "no route" in str(raised.value)


def test_sheet_comes_back_as_it_was_laid_out(tmp_path: Path) -> None:
    images, labels = bars(6000, 0)
    digits = Digits(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long())
    data.make_digits_sheet(digits).save(tmp_path / "sheet.png")
    back = load_digits_sheet(tmp_path / "sheet.png")
    assert back.images.shape == (5000, 1, 28, 28)
    for label in range(10):
        expected = digits.images[digits.labels == label][:500]
        assert torch.equal(back.images[back.labels == label], expected)


def test_too_few_digits_make_no_sheet() -> None:
    images, labels = bars(1000, 0)
    digits = Digits(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long())
    with pytest.raises(StudioError, match="500"):
        data.make_digits_sheet(digits)


def test_a_sheet_that_is_damaged_or_of_another_size_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(50)):
        (tmp_path / "sheet.png").write_bytes(content)
        with pytest.raises(StudioError, match="cannot be read"):
            load_digits_sheet(tmp_path / "sheet.png")
    Image.new("L", (280, 280)).save(tmp_path / "sheet.png")
    with pytest.raises(StudioError, match="280x280"):
        load_digits_sheet(tmp_path / "sheet.png")
    with pytest.raises(StudioError, match="cannot be read"):
        load_digits_sheet(tmp_path / "missing.png")


def test_shipped_sheet_is_readable() -> None:
    digits = load_digits_sheet()
    assert digits.labels.bincount().tolist() == [500] * 10


@pytest.mark.data
def test_shipped_sheet_is_mnist(data_dir: Path) -> None:
    train, sheet = load_mnist(data_dir, "train"), load_digits_sheet()
    for label in range(10):
        expected = train.images[train.labels == label][:500]
        assert torch.equal(sheet.images[sheet.labels == label], expected)
