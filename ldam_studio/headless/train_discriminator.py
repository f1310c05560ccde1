"""``ldam-studio train discriminator``: train a discriminator along with the chains it steers."""

from __future__ import annotations

import argparse
import copy
import time
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.headless import rounds
from ldam_studio.headless.judge import open_judge
from ldam_studio.headless.paper import measures
from ldam_studio.headless.progress import INTERRUPTED, progress
from ldam_studio.networks.network import Network
from ldam_studio.networks.zoo import DISCRIMINATORS, NETWORKS, DiscriminatorModel, open_network
from ldam_studio.training import artifact
from ldam_studio.training.data import load_mnist

SNAPSHOT_ROUNDS = 100

MEASURED_WEIGHTS, MELTED_WEIGHT, MEASURED_STEPS = (0.0, 0.8, 1.0), 0.8, 600
"""What the finished discriminator is measured at, see `measures.rows`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    recipe = rounds.DiscriminatorRecipe()
    parser.add_argument("--network", default="lenet", help="whose neurons the chains excite")
    parser.add_argument("--weights", type=Path, help="the network's weights, where not shipped")
    parser.add_argument("--data", type=Path, help="folder of MNIST's four .gz files")
    parser.add_argument("--download", action="store_true", help="fetch MNIST where it is missing")
    parser.add_argument("--out", type=Path, default=Path("out/discriminator"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=recipe.rounds)
    parser.add_argument(
        "--chains-per-class",
        type=int,
        default=20,
        help="fresh chains that the finished discriminator is measured on; 0 leaves that out",
    )


def run(args: argparse.Namespace) -> int:
    """Train, write weights, snapshots and card, print the measures; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, the data is missing or damaged, a file cannot be written.
    """
    if args.network not in DISCRIMINATORS:
        known = ", ".join(name for name in NETWORKS if name in DISCRIMINATORS)
        raise StudioError(
            f"there is no discriminator for a network {args.network!r}; there is one for {known}."
        )
    if args.rounds < 1 or args.seed < 0 or args.chains_per_class < 0:
        raise StudioError(
            "--rounds must be at least 1, --seed and --chains-per-class must not be negative."
        )
    network = open_network(args.network, args.weights)
    real = load_mnist(args.data, "train", args.download)
    check_folder(args.out)
    recipe = rounds.DiscriminatorRecipe(rounds=args.rounds)
    name = DISCRIMINATORS[args.network]
    training = rounds.start(network, recipe, args.seed)
    began = time.monotonic()
    try:
        with progress() as bar:
            task = bar.add_task("discriminator", total=recipe.rounds)
            for _ in rounds.train(training, recipe, real.images):
                if training.info is None:
                    continue
                done = training.info.rounds
                bar.update(
                    task,
                    advance=1,
                    description=f"real {training.info.real_score:.2f}, "
                    f"generated {training.info.fake_score:.2f}",
                )
                if done % SNAPSHOT_ROUNDS == 0:
                    artifact.save_weights(
                        training.average.state_dict(),
                        args.out / "rounds" / f"{name}-{done:04d}.safetensors",
                        f"discriminator, seed {args.seed}, after round {done}",
                    )
        _finish(args, network, training, recipe, name, time.monotonic() - began)
    except KeyboardInterrupt:
        done = 0 if training.info is None else training.info.rounds
        print(
            f"stopped after {done} of {recipe.rounds} rounds; there is a snapshot of every "
            f"{SNAPSHOT_ROUNDS} in {args.out / 'rounds'}"
        )
        return INTERRUPTED
    return 0


def _finish(
    args: argparse.Namespace,
    network: Network,
    training: rounds.Training,
    recipe: rounds.DiscriminatorRecipe,
    name: str,
    seconds: float,
) -> None:
    """Write weights and card; measure the discriminator on fresh chains first, if asked to."""
    module = copy.deepcopy(training.learner.module)
    module.load_state_dict(training.average.state_dict())
    model = DiscriminatorModel(name, module, network.pixels.shape)
    figures = {}
    if args.chains_per_class:
        figures = _measure(args, network, model)
    if training.info is not None:
        figures["real score while learning, last round"] = f"{training.info.real_score:.2f}"
        figures["generated score while learning, last round"] = f"{training.info.fake_score:.2f}"
    file = f"{name}.safetensors"
    about = f"Discriminator of MNIST, trained along with chains on {network.name}"
    sha256 = artifact.save_weights(module.state_dict(), args.out / file, about)
    artifact.Card(
        file=file,
        what=(
            "Discriminator of MNIST for LDAM on "
            f"{network.name}: the logit of an image being a real digit. Input: 28x28 grey pixels, "
            "0 = black, 1 = white."
        ),
        data=(
            "MNIST, 60,000 training images, no augmentation, and chains on "
            f"{network.name} (SHA-256 {network.sha256[:12]}...)"
        ),
        recipe=rounds.describe(recipe),
        command=f"ldam-studio train discriminator --network {network.name} --seed {args.seed}"
        + ("" if recipe == rounds.DiscriminatorRecipe() else f" --rounds {recipe.rounds}"),
        seed=args.seed,
        seconds=seconds,
        sha256=sha256,
        measured=figures,
    ).write(args.out)
    print(args.out / file)
    for what, value in figures.items():
        print(f"  {what}: {value}")


def _measure(
    args: argparse.Namespace, network: Network, model: DiscriminatorModel
) -> dict[str, str]:
    judge = open_judge(args.data, args.download)
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
