"""The data sets that real images can come from. To add one, add its row to `DATA_SETS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.training.cifar10 import find_cifar10, load_cifar10
from ldam_studio.training.data import find_mnist, load_digits_sheet, load_mnist
from ldam_studio.training.images import LabelledImages


@dataclass(frozen=True)
class DataSet:
    """One row of `DATA_SETS`.

    Attributes
    ----------
    words
        What it is, for sentences.
    load
        Takes the folder to look in, or None for the usual ones; returns the images.
    is_here
        Whether it is on this computer; nothing large is read.
    channels, side
        Of its images: it is offered first for networks of such images.
    """

    words: str
    load: Callable[[Path | None], LabelledImages]
    is_here: Callable[[Path | None], bool]
    channels: int
    side: int


def _has_mnist(data: Path | None) -> bool:
    try:
        find_mnist(data)
    except StudioError:
        return False
    return True


def _has_cifar10(data: Path | None) -> bool:
    return find_cifar10(data) is not None


DIGITS = "digits"
DATA_SETS = {
    DIGITS: DataSet(
        "the shipped digits", lambda _data: load_digits_sheet(), lambda _data: True, 1, 28
    ),
    "mnist-test": DataSet(
        "MNIST's test digits", lambda data: load_mnist(data, "test"), _has_mnist, 1, 28
    ),
    "mnist": DataSet(
        "MNIST's training digits", lambda data: load_mnist(data, "train"), _has_mnist, 1, 28
    ),
    "cifar10-test": DataSet(
        "CIFAR-10's test images", lambda data: load_cifar10(data, "test"), _has_cifar10, 3, 32
    ),
    "cifar10": DataSet(
        "CIFAR-10's training images", lambda data: load_cifar10(data, "train"), _has_cifar10, 3, 32
    ),
}
"""The table of data sets."""


def suits(kind: str, pixels: PixelSpec) -> bool:
    """Return whether a network takes images such as those of a data set."""
    row = DATA_SETS[kind]
    return (pixels.channels, pixels.height, pixels.width) == (row.channels, row.side, row.side)
