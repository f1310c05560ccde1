"""CIFAR-10: 50,000 + 10,000 colour images of 32x32 in ten classes (Krizhevsky 2009)."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ldam_studio.errors import StudioError, in_short
from ldam_studio.files import cache_folder, read_bytes, write_bytes
from ldam_studio.networks.models.vgg import LABELS
from ldam_studio.training.images import LabelledImages

SHAPE = (3, 32, 32)
ARCHIVE = "cifar10.npz"
BINARY = "cifar-10-batches-bin"
BINARY_FILES = {
    "train": [f"data_batch_{number}.bin" for number in range(1, 6)],
    "test": ["test_batch.bin"],
}
"""The published binary version: for each image one byte of label, then 3,072 of pixels."""


MOST_BYTES = 2**28
"""Bytes of a file, packed or not; all images together have 184 MB."""


def load_cifar10(data: Path | None, split: str, download: bool = False) -> LabelledImages:
    """Read CIFAR-10.

    Parameters
    ----------
    data
        Folder with ``cifar10.npz`` (``x_train`` (n, 32, 32, 3) uint8, ``y_train`` (n,), ``x_test``,
        ``y_test``) or the published binary version; None for ``$LDAM_DATA``, else the cache.
    split
        ``"train"`` (50,000 images) or ``"test"`` (10,000).
    download
        Download the data into the cache with torchvision if it is not found.

    Raises
    ------
    StudioError
        The data is missing or damaged.
    """
    found = find_cifar10(data)
    if found is None and download:
        _download()
        found = find_cifar10(cache_folder())
    if found is None:
        named = data or os.environ.get("LDAM_DATA") or f"the cache ({cache_folder()})"
        raise StudioError(
            f"CIFAR-10 was not found in {named}: neither {ARCHIVE} nor {BINARY} is there; name its "
            "folder with --data, or add --download to download it (170 MB)."
        )
    images, labels = _read_archive(found, split) if found.is_file() else _read_binary(found, split)
    if images.shape[1:] != SHAPE or labels.shape != images.shape[:1] or not len(images):
        raise StudioError(f"{found} does not hold CIFAR-10's images; fetch it again.")
    if labels.max() >= len(LABELS):
        raise StudioError(f"{found} holds labels above {len(LABELS) - 1}; fetch it again.")
    return LabelledImages(torch.from_numpy(images), torch.from_numpy(labels).long())


def find_cifar10(data: Path | None = None) -> Path | None:
    """Return the archive or folder that `load_cifar10` reads; None if there is none."""
    base = data or Path(os.environ.get("LDAM_DATA") or cache_folder())
    for folder in (base, base / "cifar10"):
        for name in (ARCHIVE, BINARY):
            if (folder / name).exists():
                return folder / name
    return None


def _packed(path: Path) -> bytes:
    """Return the archive's bytes, once it is known that they do not unpack to much more."""
    data = read_bytes(path, MOST_BYTES)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
            raise ValueError("it would unpack to more than CIFAR-10 has")
    return data


def _read_archive(path: Path, split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    try:
        with np.load(io.BytesIO(_packed(path)), allow_pickle=False) as archive:
            images, labels = archive[f"x_{split}"], archive[f"y_{split}"].astype(np.uint8)
    except Exception as error:
        # Damage raises errors of many types: of files, zips, compression and numpy.
        raise StudioError(
            f"{path} is damaged ({in_short(error)}); delete it, then download it again with "
            "--download."
        ) from error
    if images.ndim != 4 or images.dtype != np.uint8:
        raise StudioError(f"{path} does not hold CIFAR-10's images; fetch it again.")
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)), labels.reshape(-1)


def _read_binary(folder: Path, split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rows = []
    size = 1 + int(np.prod(SHAPE))
    for name in BINARY_FILES[split]:
        content = np.frombuffer(read_bytes(folder / name, MOST_BYTES), np.uint8)
        if not content.size or content.size % size:
            raise StudioError(f"{folder / name} is cut short; fetch it again.")
        rows.append(content.reshape(-1, size))
    table = np.concatenate(rows)
    return table[:, 1:].reshape(-1, *SHAPE).copy(), table[:, 0].copy()


def _download() -> None:
    """Download CIFAR-10 with torchvision, which checks its hash, and save it as one archive."""
    from torchvision.datasets import CIFAR10

    folder = cache_folder()
    try:
        train, test = (CIFAR10(str(folder), train, download=True) for train in (True, False))
        content = io.BytesIO()
        np.savez_compressed(
            content,
            x_train=train.data,
            y_train=np.array(train.targets, np.uint8),
            x_test=test.data,
            y_test=np.array(test.targets, np.uint8),
        )
    except (OSError, RuntimeError) as error:
        raise StudioError(
            f"CIFAR-10 could not be downloaded ({error}); check the connection, or use --data to "
            "name a folder that contains it."
        ) from error
    write_bytes(folder / ARCHIVE, content.getvalue())
