"""The trainings of ``ldam-studio train discriminator``: one job for each kind of images."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from ldam_studio.commands.train import discriminator_measures as measures
from ldam_studio.commands.train import discriminator_recipes as recipes
from ldam_studio.engine.adversarial.recipe import DiscriminatorRecipe
from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import (
    CIFAR10,
    DIGITS,
    PHOTOGRAPHS,
    Discriminator,
    DiscriminatorModel,
)
from ldam_studio.networks.network import Network
from ldam_studio.training import artifact
from ldam_studio.training.cifar10 import load_cifar10
from ldam_studio.training.data import load_mnist
from ldam_studio.training.images import flipped
from ldam_studio.training.photos import draw_crops, find_photos

SNAPSHOT_ROUNDS = 100
COLOUR_SNAPSHOT_ROUNDS = 60
PHOTO_SNAPSHOT_ROUNDS = 20


PHOTO_LICENCE = "GPL-3.0-or-later, as the program; the photographs' own terms are their owners'"


@dataclass(frozen=True)
class Job:
    """A discriminator to be trained, and how.

    Attributes
    ----------
    name
        Name of the discriminator, see `networks.discriminators`.
    recipe
        How it is trained.
    real_images, drawn
        Returns the real images of a round; the generator that chooses them.
    what, data, licence
        Texts for the model card.
    snapshots
        Number of rounds between two snapshots.
    half
        Whether the weights are written as float16, which is precise enough for them.
    measure
        Measures the finished discriminator for its card.
    """

    name: str
    recipe: DiscriminatorRecipe
    real_images: Callable[[], torch.Tensor]
    what: str
    data: str
    licence: str
    snapshots: int
    half: bool
    measure: Callable[[DiscriminatorModel], dict[str, str]]
    drawn: torch.Generator = field(default_factory=torch.Generator)


def digits(args: argparse.Namespace, network: Network, row: Discriminator) -> Job:
    """Return the training of the discriminator of digits."""
    place = _place(args)
    real = load_mnist(place, "train", args.download)
    return Job(
        name=row.name,
        recipe=_recipe(recipes.DIGIT_RECIPE, args, row),
        real_images=lambda: real.images,
        what=(
            "Discriminator of MNIST for LDAM on "
            f"{network.name}: the logit of an image being a real digit. Input: 28x28 grey pixels, "
            "0 = black, 1 = white."
        ),
        data=(
            "MNIST, 60,000 training images, no augmentation, and chains on "
            f"{network.name} (SHA-256 {network.sha256[:12]}...)"
        ),
        licence=artifact.MNIST_LICENCE,
        snapshots=SNAPSHOT_ROUNDS,
        half=False,
        measure=lambda model: measures.measure_digits(args, place, network, model),
    )


def _place(args: argparse.Namespace) -> Path | None:
    """Return the data folder, for images of a fixed size."""
    places: list[Path | None] = args.data or [None]
    if len(places) > 1 or args.side is not None:
        raise StudioError("For this network, give only one --data folder, and no --side.")
    return places[0]


def pictures(args: argparse.Namespace, network: Network, row: Discriminator) -> Job:
    """Return the training of the discriminator of CIFAR-10."""
    place = _place(args)
    real = load_cifar10(place, "train", args.download)
    shape, recipe = _shape(args, row), _recipe(recipes.COLOUR_RECIPE, args, row)
    drawn = torch.Generator().manual_seed(args.seed)

    def real_images() -> torch.Tensor:
        count = recipe.learning_batch * recipe.learning_steps
        return flipped(real.pixels(torch.randint(len(real), (count,), generator=drawn)), drawn)

    return Job(
        name=row.name,
        recipe=recipe,
        real_images=real_images,
        what=(
            f"Discriminator of CIFAR-10 ({shape}) for LDAM on {network.name}: the logit of an "
            "image being real. Input: 32x32 RGB, 0 = black, 1 = white."
        ),
        data=(
            "CIFAR-10 (Krizhevsky 2009), 50,000 training images, half of them mirrored, and chains "
            f"on {network.name} (SHA-256 {network.sha256[:12]}...)"
        ),
        licence=artifact.CIFAR_LICENCE,
        snapshots=COLOUR_SNAPSHOT_ROUNDS,
        half=False,
        measure=lambda model: measures.measure_colour(args, place, network, model),
        drawn=drawn,
    )


def photos(args: argparse.Namespace, network: Network, row: Discriminator) -> Job:
    """Return the training of the discriminator of natural images."""
    if not args.data:
        raise StudioError(
            f"A discriminator for {network.name} learns from photographs; name a folder or a zip "
            "of them with --data."
        )
    sources = [find_photos(place) for place in args.data]
    recipe = _recipe(recipes.PHOTO_RECIPE, args, row)
    side = args.side
    size = (network.pixels.height, network.pixels.width) if side is None else (side, side)
    drawn = torch.Generator().manual_seed(args.seed)
    named = " and ".join(f"{len(photos):,} of {photos.place.name}" for photos in sources)
    return Job(
        name=row.name,
        recipe=recipe,
        real_images=lambda: draw_crops(
            sources, recipe.learning_batch * recipe.learning_steps, size, drawn
        ),
        what=(
            "Discriminator of natural images for LDAM: the logit of an image being a photograph. "
            "Input: RGB images of about 224 pixels, 0 = black, 1 = white."
        ),
        data=(
            f"photographs ({named}; random crops, half of them mirrored) and chains on all "
            f"classes of {network.name} (SHA-256 {network.sha256[:12]}...) at {size[0]}x{size[1]} "
            "pixels"
        ),
        licence=PHOTO_LICENCE,
        snapshots=PHOTO_SNAPSHOT_ROUNDS,
        half=True,
        measure=lambda model: measures.measure_photos(network, model, sources, args.seed + 1),
        drawn=drawn,
    )


JOBS = {DIGITS: digits, CIFAR10: pictures, PHOTOGRAPHS: photos}
"""The training of a discriminator, by the kind of real images from which it learns."""


def _shape(args: argparse.Namespace, row: Discriminator) -> str:
    shape: str = args.shape or next(iter(row.builds))
    return shape


def _recipe(
    recipe: DiscriminatorRecipe, args: argparse.Namespace, row: Discriminator
) -> DiscriminatorRecipe:
    """Return the recipe with the architecture and the number of rounds from the flags."""
    built = replace(recipe, build=row.builds[_shape(args, row)])
    return built if args.rounds is None else replace(built, rounds=args.rounds)
