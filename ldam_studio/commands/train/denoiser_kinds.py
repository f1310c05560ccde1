"""The denoisers that `train denoiser` trains: of photographs, and of CIFAR-10's images."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import CIFAR10, PHOTOGRAPHS
from ldam_studio.training.artifact import CIFAR_LICENCE
from ldam_studio.training.cifar10 import load_cifar10
from ldam_studio.training.denoiser import DenoiserRecipe
from ldam_studio.training.denoiser_images import (
    KEEP_BACK,
    LARGEST_CROP,
    Source,
    WholeImages,
    crops_of,
    parted,
)
from ldam_studio.training.photos import find_photos

MEASURED_CROPS = 200
MEASURED_IMAGES = 2000
"""As many of CIFAR-10's test images have about as many pixels as the crops."""


@dataclass(frozen=True)
class Lessons:
    """The images of a training.

    Attributes
    ----------
    sources
        The images to learn from, and the number of images in each.
    held_back, held_back_are
        Images to measure on, (n, 3, H, W) uint8, and what they are, for the card.
    data
        What is learned from, for the card.
    """

    sources: tuple[Source, ...]
    counts: tuple[int, ...]
    held_back: Tensor
    held_back_are: str
    data: str


@dataclass(frozen=True)
class Kind:
    """A denoiser that can be trained.

    Attributes
    ----------
    name
        The name of its weights.
    what, licence
        For the card.
    recipe
        How it is trained.
    lessons
        Returns its images, given the command's flags; raises `StudioError` if they are missing.
    """

    name: str
    what: str
    licence: str
    recipe: DenoiserRecipe
    lessons: Callable[[argparse.Namespace], Lessons]


def _photographs(args: argparse.Namespace) -> Lessons:
    if not args.data:
        raise StudioError(
            "The denoiser learns from photographs; name a folder or a zip of them with --data, or "
            f"--images {CIFAR10} for CIFAR-10."
        )
    places = [find_photos(place) for place in args.data]
    trained, held_back = zip(*map(parted, places), strict=True)
    random = torch.Generator().manual_seed(args.seed + 1)
    measured = crops_of(held_back[0]).draw(MEASURED_CROPS, random)
    named = " and ".join(f"{len(photos):,} of {photos.place.name}" for photos in places)
    return Lessons(
        sources=tuple(map(crops_of, trained)),
        counts=tuple(map(len, places)),
        held_back=measured,
        held_back_are=f"{MEASURED_CROPS} crops of {len(held_back[0])} photographs kept back",
        data=(
            f"photographs ({named}; one in {KEEP_BACK} kept back; random crops of up to "
            f"{LARGEST_CROP} pixels, half of them mirrored)"
        ),
    )


def _cifar10(args: argparse.Namespace) -> Lessons:
    folders = args.data or [None]
    if len(folders) > 1:
        raise StudioError("CIFAR-10 is in one folder; give --data once.")
    train, test = (load_cifar10(folders[0], part, args.download) for part in ("train", "test"))
    measured = test.images[:MEASURED_IMAGES]
    return Lessons(
        sources=(WholeImages(train.images),),
        counts=(len(train),),
        held_back=measured,
        held_back_are=f"{len(measured):,} test images",
        data=(
            f"CIFAR-10 (Krizhevsky 2009), {len(train):,} training images, whole, half of them "
            f"mirrored; measured on the first {len(measured):,} test images"
        ),
    )


KINDS = {
    PHOTOGRAPHS: Kind(
        name="denoiser",
        what=(
            "Denoiser of photographs for LDAM: the mean of the clean images given a noisy one and "
            "its noise level. Input: RGB images of any size, 0 = black, 1 = white."
        ),
        licence="GPL-3.0-or-later, as the program; the photographs' own terms are their owners'",
        recipe=DenoiserRecipe(),
        lessons=_photographs,
    ),
    CIFAR10: Kind(
        name="cifar10-denoiser",
        what=(
            "Denoiser of CIFAR-10's images for LDAM: the mean of the clean images given a noisy "
            "one and its noise level. Input: RGB images of about 32x32, 0 = black, 1 = white."
        ),
        licence=CIFAR_LICENCE,
        recipe=DenoiserRecipe(rounds=120, decay=5500),
        lessons=_cifar10,
    ),
}
"""By what `--images` is."""
