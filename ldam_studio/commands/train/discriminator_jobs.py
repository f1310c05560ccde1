"""What may be trained by ``ldam-studio train discriminator``: of digits, CIFAR-10, photographs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from ldam_studio.analysis import cifar10, photo_discriminator
from ldam_studio.analysis import digits as measures
from ldam_studio.analysis.judging import COLOUR
from ldam_studio.commands.shared.judges import open_judge
from ldam_studio.commands.shared.progress import progress
from ldam_studio.commands.train import rounds
from ldam_studio.errors import StudioError
from ldam_studio.networks.models import natural_discriminator as natural
from ldam_studio.networks.models.colour_discriminator import ColourDiscriminator, Vgg16Discriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import (
    CIFAR_DISCRIMINATOR,
    MNIST_DISCRIMINATOR,
    DiscriminatorModel,
)
from ldam_studio.training import artifact
from ldam_studio.training.cifar10 import load_cifar10
from ldam_studio.training.data import load_mnist
from ldam_studio.training.images import flipped
from ldam_studio.training.photos import Photos, draw_crops, find_photos

SNAPSHOT_ROUNDS = 100
COLOUR_SNAPSHOT_ROUNDS = 60
PHOTO_SNAPSHOT_ROUNDS = 20

MEASURED_WEIGHTS, MELTED_WEIGHT, MEASURED_STEPS = (0.0, 0.8, 1.0), 0.8, 600
"""What the finished discriminator of digits is measured at, see `analysis.digits.rows`."""

COLOUR_WEIGHTS, COLOUR_STEPS = (0.0, 0.5, 0.75), cifar10.STEPS
"""The same for that of CIFAR-10, see `cifar10.sample`."""

SHAPES = {"small": ColourDiscriminator, "vgg16": Vgg16Discriminator}
"""What the discriminator of CIFAR-10 may be built as."""

PHOTO_LICENCE = "GPL-3.0-or-later, as the program; the photographs' own terms are their owners'"


@dataclass(frozen=True)
class Job:
    """What is trained: the discriminator of digits, or that of photographs.

    Attributes
    ----------
    name
        The discriminator's, see `zoo.discriminator_for`.
    recipe
        How.
    real_images, drawn
        Gives each round its real images, and the generator that it chooses them with, if it does.
    what, data, licence
        For the model card.
    snapshots
        Rounds from one snapshot to the next.
    half
        Write float16: these weights need no more.
    measure
        Figures of the finished discriminator for its card.
    """

    name: str
    recipe: rounds.DiscriminatorRecipe
    real_images: Callable[[], torch.Tensor]
    what: str
    data: str
    licence: str
    snapshots: int
    half: bool
    measure: Callable[[DiscriminatorModel], dict[str, str]]
    drawn: torch.Generator = field(default_factory=torch.Generator)


def digits(args: argparse.Namespace, network: Network) -> Job:
    """Return the training of the discriminator of digits."""
    place = _place(args)
    real = load_mnist(place, "train", args.download)
    return Job(
        name=MNIST_DISCRIMINATOR,
        recipe=_with_rounds(rounds.DiscriminatorRecipe(), args.rounds),
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
        measure=lambda model: _measure(args, place, network, model),
    )


def _place(args: argparse.Namespace) -> Path | None:
    """Return the one folder of data that there may be for images of a fixed size."""
    places: list[Path | None] = args.data or [None]
    if len(places) > 1 or args.side is not None:
        raise StudioError("For this network there is one --data folder, and no --side.")
    return places[0]


def pictures(args: argparse.Namespace, network: Network) -> Job:
    """Return the training of the discriminator of CIFAR-10."""
    place = _place(args)
    real = load_cifar10(place, "train", args.download)
    shape = args.shape or next(iter(SHAPES))
    recipe = _with_rounds(replace(rounds.COLOUR_RECIPE, build=SHAPES[shape]), args.rounds)
    drawn = torch.Generator().manual_seed(args.seed)

    def real_images() -> torch.Tensor:
        count = recipe.learning_batch * recipe.learning_steps
        return flipped(real.pixels(torch.randint(len(real), (count,), generator=drawn)), drawn)

    return Job(
        name=CIFAR_DISCRIMINATOR,
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
        measure=lambda model: _measure_colour(args, place, network, model),
        drawn=drawn,
    )


def photos(args: argparse.Namespace, network: Network) -> Job:
    """Return the training of the discriminator of natural images."""
    if not args.data:
        raise StudioError(
            f"A discriminator for {network.name} learns from photographs; name a folder or a zip "
            "of them with --data."
        )
    sources = [find_photos(place) for place in args.data]
    recipe = _with_rounds(rounds.PHOTO_RECIPE, args.rounds)
    side = args.side
    size = (network.pixels.height, network.pixels.width) if side is None else (side, side)
    drawn = torch.Generator().manual_seed(args.seed)
    named = " and ".join(f"{len(photos):,} of {photos.place.name}" for photos in sources)
    return Job(
        name=natural.NAME,
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
        measure=lambda model: _measure_photos(network, model, sources, args.seed + 1),
        drawn=drawn,
    )


def _with_rounds(
    recipe: rounds.DiscriminatorRecipe, wanted: int | None
) -> rounds.DiscriminatorRecipe:
    return recipe if wanted is None else replace(recipe, rounds=wanted)


def _measure(
    args: argparse.Namespace, data: Path | None, network: Network, model: DiscriminatorModel
) -> dict[str, str]:
    judge = open_judge(data, args.download)
    chains, figures = args.chains_per_class, {}
    with progress() as bar:
        task = bar.add_task("measuring", total=MEASURED_STEPS * len(MEASURED_WEIGHTS))
        for row, state in measures.rows(
            network,
            model,
            judge,
            MEASURED_WEIGHTS,
            chains,
            MEASURED_STEPS,
            args.seed + 1,
            lambda: bar.advance(task),
        ):
            figures[
                f"judge agrees at weight {row.weight:g} ({chains} fresh chains a class, "
                f"{MEASURED_STEPS} steps)"
            ] = f"{row.agreement:.1%}"
            if row.weight == MELTED_WEIGHT:
                real = measures.real_digits()
                figures["... cosine within a class (real digits)"] = (
                    f"{row.cosine:.3f} ({real['cosine']:.3f})"
                )
                figures["... share of background (real digits)"] = (
                    f"{row.dark:.3f} ({real['dark']:.3f})"
                )
                melted = measures.melt_and_collapse(state, model, judge, row.weight)
                figures["... melted and collapsed: cosine to the image before, judge agrees"] = (
                    f"{melted['cosine_to_before']:.3f}, {melted['agreement']:.1%}"
                )
    return figures


def _measure_colour(
    args: argparse.Namespace, place: Path | None, network: Network, model: DiscriminatorModel
) -> dict[str, str]:
    chains, figures = args.chains_per_class, {}
    judge = open_judge(place, args.download, COLOUR)
    yardstick = cifar10.open_yardstick(judge, place, args.download, chains)
    with progress() as bar:
        task = bar.add_task("measuring", total=COLOUR_STEPS * len(COLOUR_WEIGHTS))
        for weight in COLOUR_WEIGHTS:
            row = cifar10.sample(
                network,
                model,
                yardstick,
                weight,
                chains,
                COLOUR_STEPS,
                args.seed + 1,
                lambda: bar.advance(task),
            )
            for what, seen in (("samples", row.raw), ("averages", row.averaged)):
                figures[
                    f"{what} at weight {weight:g} ({chains} fresh chains a class, {COLOUR_STEPS} "
                    "steps): judge agrees, Frechet distance of its features to real images, "
                    "cosine within a class"
                ] = f"{seen.agreement:.1%}, {seen.distance:.2f}, {seen.cosine:.3f}"
    real = cifar10.real_json(yardstick)
    figures["... of as many real images"] = (
        f"{real['agreement']:.1%}, {real['distance']:.2f}, {real['cosine']:.3f}"
    )
    return figures


def _measure_photos(
    network: Network, model: DiscriminatorModel, sources: Sequence[Photos], seed: int
) -> dict[str, str]:
    with progress() as bar:
        task = bar.add_task("measuring", total=photo_discriminator.STEPS)
        return photo_discriminator.measure(network, model, sources, seed, lambda: bar.advance(task))
