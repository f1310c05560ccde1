"""The real images from which a discriminator learns while it steers chains, by kind.

To add a kind, add its row to `REAL_IMAGES`; the rows of `networks.discriminators` refer to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Generator, Tensor

from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import CIFAR10, DIGITS, PHOTOGRAPHS
from ldam_studio.training.cifar10 import find_cifar10, load_cifar10
from ldam_studio.training.data import load_digits_sheet, load_mnist
from ldam_studio.training.photos import draw_crops, find_photos

NONE = "none"
"""The first word about real images that are nowhere to be found."""
CROPS = 256
"""Number of random crops of photographs from which one session learns."""


@dataclass(frozen=True)
class RealImages:
    """One row of `REAL_IMAGES`.

    Attributes
    ----------
    load
        Takes the user's data folder or None, the shape (C, H, W) and a seed; returns images (n, C,
        H, W), uint8. Raises `StudioError` if they cannot be read.
    origin
        Takes that folder and returns in words where the images come from. Nothing is read.
    """

    load: Callable[[Path | None, tuple[int, int, int], int], Tensor]
    origin: Callable[[Path | None], str]


def _digits(data: Path | None, _shape: tuple[int, int, int], _seed: int) -> Tensor:
    return (load_digits_sheet() if data is None else load_mnist(data, "train")).images


def _origin_of_digits(data: Path | None) -> str:
    return "the digits that ship with the program" if data is None else str(data)


def _cifar10(data: Path | None, _shape: tuple[int, int, int], _seed: int) -> Tensor:
    return load_cifar10(data, "train").images


def _origin_of_cifar10(data: Path | None) -> str:
    if data is not None:
        return str(data)
    found = find_cifar10()
    if found is None:
        return f"{NONE} yet; choose a folder with CIFAR-10"
    return f"CIFAR-10 in {found.parent}"


def _photographs(data: Path | None, shape: tuple[int, int, int], seed: int) -> Tensor:
    if data is None:
        raise StudioError(
            "The discriminator of natural images learns from photographs, but none ship with the "
            "program; choose a folder of some below Discriminator, or start with --data FOLDER or "
            "--data FILE.zip."
        )
    return draw_crops([find_photos(data)], CROPS, shape[1:], Generator().manual_seed(seed))


def _origin_of_photographs(data: Path | None) -> str:
    return f"{NONE} yet; choose a folder of photographs" if data is None else str(data)


REAL_IMAGES = {
    DIGITS: RealImages(_digits, _origin_of_digits),
    CIFAR10: RealImages(_cifar10, _origin_of_cifar10),
    PHOTOGRAPHS: RealImages(_photographs, _origin_of_photographs),
}
"""The table of kinds of real images."""
