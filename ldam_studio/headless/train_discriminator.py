"""``ldam-studio train discriminator``: train a discriminator along with the chains it steers."""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.headless import flags, photo_measures, rounds
from ldam_studio.headless.judge import open_judge
from ldam_studio.headless.paper import measures
from ldam_studio.headless.progress import INTERRUPTED, progress
from ldam_studio.networks import natural_discriminator as natural
from ldam_studio.networks.network import Network
from ldam_studio.networks.zoo import DiscriminatorModel, Options, discriminator_for, open_network
from ldam_studio.training import artifact
from ldam_studio.training.data import load_mnist
from ldam_studio.training.photos import draw_crops, find_photos

SNAPSHOT_ROUNDS = 100
PHOTO_SNAPSHOT_ROUNDS = 20

MEASURED_WEIGHTS, MELTED_WEIGHT, MEASURED_STEPS = (0.0, 0.8, 1.0), 0.8, 600
"""What the finished discriminator of digits is measured at, see `measures.rows`."""

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
    real_images
        Gives each round its real images.
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, default="lenet")
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        help="folder of MNIST's four .gz files; for RGB networks a folder or zip of photographs, "
        "and once more for a further one",
    )
    parser.add_argument("--download", action="store_true", help="fetch MNIST where it is missing")
    parser.add_argument("--out", type=Path, default=Path("out/discriminator"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, help="how often chains and discriminator take turns")
    parser.add_argument(
        "--side",
        type=int,
        help="train on square images of so many pixels, where the network takes them: less work, "
        "and the discriminator of natural images judges any size",
    )
    parser.add_argument(
        "--chains-per-class",
        type=int,
        default=20,
        help="fresh chains that the finished discriminator of digits is measured on; 0 leaves "
        "measuring out",
    )


def run(args: argparse.Namespace) -> int:
    """Train, write weights, snapshots and card, print the measures; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, the data is missing or damaged, a file cannot be written.
    """
    if (args.rounds is not None and args.rounds < 1) or min(args.seed, args.chains_per_class) < 0:
        raise StudioError(
            "--rounds must be at least 1, --seed and --chains-per-class must not be negative."
        )
    network = flags.network_of(args)
    name = discriminator_for(network)
    if name is None:
        raise StudioError(
            f"there is no discriminator for a network {network.name!r}; there is one for LeNet's "
            f"digits and one for RGB images of {natural.LEAST_SIDE} to {natural.MOST_SIDE} pixels."
        )
    job = _photos(args, network) if name == natural.NAME else _digits(args, network)
    network = _smaller(network, args)
    check_folder(args.out)
    recipe = job.recipe
    training = rounds.start(network, recipe, args.seed)
    began = time.monotonic()
    try:
        with progress() as bar:
            task = bar.add_task("discriminator", total=recipe.rounds)
            for _ in rounds.train(training, recipe, job.real_images):
                if training.info is None:
                    continue
                done = training.info.rounds
                bar.update(
                    task,
                    advance=1,
                    description=f"real {training.info.real_score:.2f}, "
                    f"generated {training.info.fake_score:.2f}",
                )
                if done % job.snapshots == 0:
                    artifact.save_weights(
                        _result(training, job),
                        args.out / "rounds" / f"{name}-{done:04d}.safetensors",
                        f"discriminator, seed {args.seed}, after round {done}",
                    )
        _finish(args, network, training, job, time.monotonic() - began)
    except KeyboardInterrupt:
        done = 0 if training.info is None else training.info.rounds
        print(
            f"stopped after {done} of {recipe.rounds} rounds; there is a snapshot of every "
            f"{job.snapshots} in {args.out / 'rounds'}"
        )
        return INTERRUPTED
    return 0


def _digits(args: argparse.Namespace, network: Network) -> Job:
    """Return the training of the discriminator of digits."""
    places = args.data or [None]
    if len(places) > 1 or args.side is not None:
        raise StudioError("For digits there is one --data folder, and no --side.")
    real = load_mnist(places[0], "train", args.download)
    name = discriminator_for(network)
    assert name is not None
    return Job(
        name=name,
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
        measure=lambda model: _measure(args, places[0], network, model),
    )


def _photos(args: argparse.Namespace, network: Network) -> Job:
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
        measure=lambda model: photo_measures.measure(network, model, sources, args.seed + 1),
    )


def _with_rounds(
    recipe: rounds.DiscriminatorRecipe, wanted: int | None
) -> rounds.DiscriminatorRecipe:
    return recipe if wanted is None else replace(recipe, rounds=wanted)


def _smaller(network: Network, args: argparse.Namespace) -> Network:
    """Return the network for square images of another size.

    Raises
    ------
    StudioError
        It takes none of that size, or they are too small for the discriminator.
    """
    side = args.side
    if side is None:
        return network
    if side < natural.TRAINED_SIDE:
        raise StudioError(f"--side must be at least {natural.TRAINED_SIDE}.")
    pixels = replace(network.pixels, height=side, width=side)
    options = Options(pixels, labels=args.labels, partial=args.partial)
    return open_network(network.name, network.weights, options)


def _result(training: rounds.Training, job: Job) -> dict[str, torch.Tensor]:
    """Return the parameters to be kept, as they are written."""
    state = training.average.state_dict()
    return {name: value.half() for name, value in state.items()} if job.half else state


def _finish(
    args: argparse.Namespace,
    network: Network,
    training: rounds.Training,
    job: Job,
    seconds: float,
) -> None:
    """Write weights and card; measure the discriminator on fresh chains first, if asked to."""
    state = _result(training, job)
    module = copy.deepcopy(training.learner.module)
    module.load_state_dict(state)
    shape = None if job.name == natural.NAME else network.pixels.shape
    figures = {}
    if args.chains_per_class:
        figures = job.measure(DiscriminatorModel(job.name, module, shape))
    if training.info is not None:
        figures["real score while learning, last round"] = f"{training.info.real_score:.2f}"
        figures["generated score while learning, last round"] = f"{training.info.fake_score:.2f}"
    file = f"{job.name}.safetensors"
    sha256 = artifact.save_weights(state, args.out / file, job.what.partition(":")[0])
    artifact.Card(
        file=file,
        what=job.what,
        data=job.data,
        recipe=rounds.describe(job.recipe),
        command=_command(args, network),
        seed=args.seed,
        seconds=seconds,
        sha256=sha256,
        measured=figures,
        licence=job.licence,
    ).write(args.out)
    print(args.out / file)
    for what, value in figures.items():
        print(f"  {what}: {value}")


def _command(args: argparse.Namespace, network: Network) -> str:
    """Return what has to be typed to do this again."""
    words = f"ldam-studio train discriminator --network {network.name}"
    if args.weights is not None:
        words += f" --weights {args.weights.name}"
    if discriminator_for(network) == natural.NAME or args.side is not None:
        words += "".join(f" --data {place.name}" for place in args.data or ())
    if args.side is not None:
        words += f" --side {args.side}"
    words += f" --seed {args.seed}"
    return words if args.rounds is None else f"{words} --rounds {args.rounds}"


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
