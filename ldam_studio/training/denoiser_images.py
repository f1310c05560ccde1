"""The images from which a denoiser learns: crops of photographs, or whole images of one size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from ldam_studio.errors import StudioError
from ldam_studio.networks.models.denoiser import MULTIPLE
from ldam_studio.training.images import flipped
from ldam_studio.training.photos import LEAST_PHOTOS, Photos, draw_crops

KEEP_BACK = 20
"""One in this many photographs is not trained on, but kept for measuring."""

LARGEST_CROP = 112
"""Side of the crops in pixels: half of the 224 pixels that most networks take."""


class Source(Protocol):
    """Something that square images are drawn from."""

    @property
    def side(self) -> int:
        """The side of the images, in pixels."""

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """Return random images, (count, 3, side, side) uint8, half of them mirrored."""


@dataclass(frozen=True)
class Crops:
    """Random crops of photographs; `side` is that of the crops, see `crops_of`."""

    photos: Photos
    side: int

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """Return random crops.

        Raises
        ------
        StudioError
            If a photograph cannot be read.
        """
        return draw_crops([self.photos], count, (self.side, self.side), random)


@dataclass(frozen=True)
class WholeImages:
    """Square images (n, 3, side, side), uint8, which are drawn whole."""

    images: Tensor

    @property
    def side(self) -> int:
        """The side of the images, in pixels."""
        return self.images.shape[-1]

    def draw(self, count: int, random: torch.Generator) -> Tensor:
        """Return random images."""
        chosen = torch.randint(len(self.images), (count,), generator=random)
        return flipped(self.images[chosen], random)


def parted(photos: Photos) -> tuple[Photos, Photos]:
    """Return the photographs to train on, and those kept back: the first of each `KEEP_BACK`."""
    kept_back = photos.names[::KEEP_BACK]
    trained = tuple(name for name in photos.names if name not in set(kept_back))
    return replace(photos, names=trained), replace(photos, names=kept_back)


def crops_of(photos: Photos) -> Crops:
    """Return crops with a side of `LARGEST_CROP`, or of 3/4 of smaller photographs.

    Crops are therefore reduced by at least 4/3 unless they are larger than half the photograph,
    so that traces of JPEG's blocks of 8x8 pixels are not always at the same places.

    Raises
    ------
    StudioError
        If the photographs are too small.
    """
    with photos.reader() as read:
        count = min(len(photos), LEAST_PHOTOS)
        shortest = min(min(read(number).size) for number in range(count))
    side = min(LARGEST_CROP, shortest * 3 // 4) // MULTIPLE * MULTIPLE
    if side == 0:
        raise StudioError(
            f"The photographs in {photos.place} have sides of {shortest} pixels, which is too "
            "small for the denoiser; name others with --data."
        )
    return Crops(photos, side)
