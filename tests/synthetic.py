"""Data sets as small as tests need: bars, in the file formats of MNIST and CIFAR-10."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ldam_studio.training.data import FILES


def write_idx(path: Path, values: NDArray[np.uint8]) -> None:
    header = bytes([0, 0, 8, values.ndim])
    sizes = np.array(values.shape, dtype=">u4").tobytes()
    path.write_bytes(gzip.compress(header + sizes + values.tobytes()))


def bars(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Class c is a vertical bar at column 2c + 4, with noise: easy to learn in a few steps."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = random.integers(0, 40, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4:24, 2 * label + 4 : 2 * label + 6] = 255
    return images, labels


def write_mnist(folder: Path, train: int = 300, test: int = 50) -> Path:
    """Write the four files into ``folder`` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in (("train", train), ("test", test)):
        for name, values in zip(FILES[split], bars(count, len(split)), strict=True):
            write_idx(folder / name, values)
    return folder


def write_cifar10(folder: Path, train: int = 40, test: int = 20) -> Path:
    """Write ``cifar10.npz`` into ``folder``, made if need be, and return that."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for split, count in (("train", train), ("test", test)):
        images, labels = bars(count, len(split))
        framed = np.pad(images, ((0, 0), (2, 2), (2, 2)))
        arrays[f"x_{split}"] = np.repeat(framed[..., None], 3, axis=3)
        arrays[f"y_{split}"] = labels
    np.savez(folder / "cifar10.npz", **arrays)
    return folder
