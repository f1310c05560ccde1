"""Real digits: MNIST's own files, and the sheet of digits that ships with the program."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.files import cache_folder, read_bytes
from ldam_studio.training.images import LabelledImages

FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
"""MNIST's four published files: images and labels of each split."""

MOST_BYTES = 2**27
"""Bytes of a file, packed or not; the largest has 47 MB."""

SIDE = 28
CLASSES = 10
SHEET_ROWS, SHEET_COLUMNS = 50, 100
SHEET_DIGITS_PER_CLASS = SHEET_ROWS * SHEET_COLUMNS // CLASSES


class Digits(LabelledImages):
    """Labelled digits: images ``(n, 1, 28, 28)``, 0 = background, 255 = stroke; labels 0 to 9."""


def find_mnist(data: Path | None = None) -> Path:
    """Return the folder that contains MNIST's four files.

    It is ``data`` if given, else ``$LDAM_DATA``, else the cache; or the folder ``mnist`` or
    torchvision's ``MNIST/raw`` inside it.

    Raises
    ------
    StudioError
        If the files are not there.
    """
    if data is not None:
        base, named = data, f"{data}"
    elif os.environ.get("LDAM_DATA"):
        base, named = Path(os.environ["LDAM_DATA"]), f"$LDAM_DATA ({os.environ['LDAM_DATA']})"
    else:
        base, named = cache_folder(), f"the cache ({cache_folder()})"
    for folder in (base, base / "mnist", base / "MNIST" / "raw"):
        if all((folder / name).is_file() for names in FILES.values() for name in names):
            return folder
    missing = [
        name
        for names in FILES.values()
        for name in names
        if not any((folder / name).is_file() for folder in (base, base / "mnist"))
    ]
    what = f"{missing[0]} is not there" if missing else "the four files are in different folders"
    if not base.is_dir():
        what = "the folder does not exist"
    raise StudioError(
        f"MNIST was not found in {named}: {what}; name the folder of its four .gz files with "
        "--data, or add --download to download them (11 MB)."
    )


def download_mnist() -> Path:
    """Download MNIST into the cache with torchvision, with a progress bar; return its folder.

    Raises
    ------
    StudioError
        If there is no connection, or a file was damaged during the download.
    """
    from torchvision.datasets import MNIST

    folder = cache_folder()
    try:
        MNIST(str(folder), download=True)
    except (OSError, RuntimeError) as error:
        raise StudioError(
            f"MNIST could not be downloaded ({error}); check the connection, or use --data to name "
            "a folder that contains its four .gz files."
        ) from error
    return find_mnist(folder)


def load_mnist(data: Path | None, split: str, download: bool = False) -> Digits:
    """Read MNIST.

    Parameters
    ----------
    data
        Folder, or None for ``$LDAM_DATA`` or the cache, see `find_mnist`.
    split
        ``"train"`` (60,000 digits) or ``"test"`` (10,000).
    download
        Download the files into the cache if they are not found.

    Raises
    ------
    StudioError
        A file is missing, damaged, or does not hold 28x28 digits.
    """
    try:
        folder = find_mnist(data)
    except StudioError:
        if not download:
            raise
        folder = download_mnist()
    image_path, label_path = (folder / name for name in FILES[split])
    images, labels = read_idx(image_path), read_idx(label_path)
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or not len(images):
        raise StudioError(
            f"{image_path} holds an array of shape {images.shape}, not 28x28 digits; "
            "fetch the file again."
        )
    if labels.shape != images.shape[:1] or labels.max() >= CLASSES:
        raise StudioError(
            f"{label_path} does not hold one label from 0 to 9 for each of the {len(images)} "
            f"images of {image_path.name}; fetch both files again."
        )
    return Digits(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long())


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read a gzipped IDX file of unsigned bytes, MNIST's format.

    The format is: two zero bytes, a type code (8 = unsigned byte), the number of dimensions, each
    dimension as a big-endian 32-bit integer, then the values (Yann LeCun's MNIST page).

    Raises
    ------
    StudioError
        If the file cannot be read, is not a gzip or IDX file, or is truncated.
    """
    packed = read_bytes(path, MOST_BYTES)
    try:
        # Not unpacked as a whole: a few megabytes may hold gigabytes.
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            content = file.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise StudioError(f"{path} is damaged ({error}); fetch the file again.") from error
    except OSError as error:
        raise StudioError(f"{path} cannot be read ({error.strerror}).") from error
    if len(content) > MOST_BYTES:
        raise StudioError(
            f"{path} unpacks to more than {MOST_BYTES / 1e6:,.0f} MB, so it is not one of MNIST's "
            "files; fetch the file again."
        )
    if len(content) < 4 or content[:3] != b"\0\0\x08" or len(content) < 4 + 4 * content[3]:
        raise StudioError(f"{path} is not an IDX file of bytes; fetch the file again.")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", content[3], 4))
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * content[3])
    if values.size != int(np.prod(shape, dtype=np.int64)):
        raise StudioError(
            f"{path} is damaged: it has {values.size} values, but its header says {shape}; "
            "download the file again."
        )
    return values.reshape(shape).copy()


def load_digits_sheet(path: Path | None = None) -> Digits:
    """Read the shipped sample of 5,000 training digits, 500 of each class.

    The sheet is a grid of 50 x 100 digits; class c fills the rows 5c to 5c + 4.

    Raises
    ------
    StudioError
        The sheet is missing, damaged, or of another size.
    """
    path = asset("resources", "digits.png") if path is None else path
    try:
        with Image.open(path) as picture:
            sheet = np.asarray(picture.convert("L"))
    except (OSError, SyntaxError) as error:
        raise StudioError(
            f"The sample of real digits, {path}, cannot be read; install the program again."
        ) from error
    if sheet.shape != (SHEET_ROWS * SIDE, SHEET_COLUMNS * SIDE):
        raise StudioError(
            f"The sample of real digits, {path}, has {sheet.shape[1]}x{sheet.shape[0]} pixels, not "
            f"{SHEET_COLUMNS * SIDE}x{SHEET_ROWS * SIDE}; install the program again."
        )
    grid = sheet.reshape(SHEET_ROWS, SIDE, SHEET_COLUMNS, SIDE).transpose(0, 2, 1, 3)
    images = torch.from_numpy(grid.reshape(-1, 1, SIDE, SIDE).copy())
    return Digits(images, torch.arange(CLASSES).repeat_interleave(SHEET_DIGITS_PER_CLASS))


def make_digits_sheet(train: Digits) -> Image.Image:
    """Arrange the first 500 training digits of each class in a sheet for `load_digits_sheet`.

    Raises
    ------
    StudioError
        If ``train`` has fewer than 500 digits of some class.
    """
    chosen = [
        train.images[train.labels == label][:SHEET_DIGITS_PER_CLASS] for label in range(CLASSES)
    ]
    if any(len(images) < SHEET_DIGITS_PER_CLASS for images in chosen):
        raise StudioError(
            f"The sheet of digits needs {SHEET_DIGITS_PER_CLASS} digits of each class, but the "
            "data has fewer; use MNIST's training files."
        )
    grid = torch.cat(chosen).reshape(SHEET_ROWS, SHEET_COLUMNS, SIDE, SIDE).permute(0, 2, 1, 3)
    return Image.fromarray(grid.reshape(SHEET_ROWS * SIDE, SHEET_COLUMNS * SIDE).numpy())
