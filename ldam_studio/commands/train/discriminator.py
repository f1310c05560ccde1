"""``ldam-studio train discriminator``: trains a discriminator together with chains."""

from __future__ import annotations

import argparse
import copy
from dataclasses import replace
from pathlib import Path

import torch

from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.progress import INTERRUPTED, progress
from ldam_studio.commands.train import discriminator_jobs as jobs
from ldam_studio.commands.train.discriminator_jobs import Job
from ldam_studio.commands.train.flags import EITHER, add_training, stopped
from ldam_studio.engine.adversarial import rounds
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.networks.discriminators import (
    CIFAR_DISCRIMINATOR,
    DISCRIMINATORS,
    PHOTOGRAPHS,
    DiscriminatorModel,
    discriminator_for,
)
from ldam_studio.networks.models import natural_discriminator as natural
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.built_in import NETWORKS
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.training import artifact
from ldam_studio.training.kept import RUN_FILE, Kept
from ldam_studio.training.resume import kept_in, other_settings, write_kept


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    flags.add_network(parser, default="lenet")
    add_training(
        parser,
        "out/discriminator",
        data=f"{EITHER}; for photographs a folder or zip of them, which may be given several times",
        fetched="MNIST or CIFAR-10",
        several=True,
    )
    parser.add_argument(
        "--rounds",
        type=flags.whole_number("--rounds", 1, 1_000_000),
        metavar="N",
        help="number of rounds of chains and discriminator; default: as for the shipped weights",
    )
    parser.add_argument(
        "--side",
        type=flags.whole_number("--side", 1, 100_000),
        metavar="N",
        help="train on square images of N x N pixels, if the network accepts them: this takes less "
        "time, and the discriminator of photographs judges any size",
    )
    parser.add_argument(
        "--chains-per-class",
        type=flags.whole_number("--chains-per-class", 0, 1_000_000),
        default=20,
        metavar="N",
        help="number of new chains with which the finished discriminator of digits or CIFAR-10 is "
        "measured; 0 skips the measurement; default 20",
    )
    parser.add_argument(
        "--shape",
        choices=list(DISCRIMINATORS[CIFAR_DISCRIMINATOR].builds),
        help="architecture of the discriminator of CIFAR-10: three convolutions (small), or "
        "VGG-16's thirteen, which take several times as long",
    )


def run(args: argparse.Namespace) -> int:
    """Train, write weights, snapshots and card, print the measures; return the exit code.

    Raises
    ------
    StudioError
        If a flag is out of range, the data is missing or damaged, or a file cannot be written.
    """
    network = flags.network_of(args)
    name = discriminator_for(network)
    if name is None:
        raise StudioError(
            f"There is no discriminator for the images of {network.name!r}; there are "
            f"discriminators for "
            f"{', '.join(str(row.chosen_for) for row in DISCRIMINATORS.values())}."
        )
    row = DISCRIMINATORS[name]
    if args.shape is not None and name != CIFAR_DISCRIMINATOR:
        raise StudioError("--shape is only for the discriminator of CIFAR-10; leave it out.")
    job = jobs.JOBS[row.real_images](args, network, row)
    network = _smaller(network, args)
    check_folder(args.out)
    kept = _KeptTraining(args.out / RUN_FILE, job, network, args.seed)
    training = kept.load() if args.resume else rounds.start(network, job.recipe, args.seed)
    try:
        _train(training, job, args, kept)
        _finish(args, network, training, job, kept.total())
    except KeyboardInterrupt:
        print(stopped(kept))
        return INTERRUPTED
    return 0


class _KeptTraining(Kept):
    """A discriminator's training, saved with each snapshot and at its end."""

    def __init__(self, path: Path, job: Job, network: Network, seed: int) -> None:
        super().__init__(path, "round", job.recipe.rounds)
        self._job, self._network, self._seed = job, network, seed
        recipe = job.recipe.describe()
        self._about = {"what": job.what, "data": job.data, "recipe": recipe, "seed": seed}

    def load(self) -> rounds.Training:
        """Return the training as it was saved.

        Raises
        ------
        StudioError
            If the file is missing or damaged, or belongs to a training with other settings.
        """
        with kept_in(self.path) as kept:
            if kept["about"] != self._about:
                raise other_settings(self.path)
            training = rounds.restore(self._network, self._job.recipe, self._seed, kept["training"])
            self._job.drawn.set_state(kept["drawn"])
            self.mark(training.learner.rounds, kept["seconds"])
            return training

    def save(self, training: rounds.Training) -> None:
        """Save the training after a round."""
        seconds = self.total()
        content = {
            "about": self._about,
            "training": training.stored(),
            "drawn": self._job.drawn.get_state(),
            "seconds": seconds,
        }
        write_kept(self.path, content)
        self.mark(training.learner.rounds, seconds)


def _train(
    training: rounds.Training, job: Job, args: argparse.Namespace, kept: _KeptTraining
) -> None:
    recipe, first = job.recipe, training.learner.rounds
    with progress() as bar:
        task = bar.add_task("discriminator", total=recipe.rounds, completed=first)
        for _ in rounds.train(training, recipe, job.real_images):
            if training.info is None:
                continue
            done = training.info.rounds
            bar.update(
                task,
                advance=1,
                description=f"real {training.info.real_probability:.2f}, "
                f"generated {training.info.fake_probability:.2f}",
            )
            if done % job.snapshots == 0:
                artifact.save_weights(
                    _result(training, job),
                    args.out / "rounds" / f"{job.name}-{done:04d}.safetensors",
                    f"discriminator, seed {args.seed}, after round {done}",
                )
            if done % job.snapshots == 0 or done == recipe.rounds:
                kept.save(training)


def _smaller(network: Network, args: argparse.Namespace) -> Network:
    """Return the network for square images with the side in ``--side``.

    Raises
    ------
    StudioError
        If the network or the discriminator does not accept that size.
    """
    side = args.side
    if side is None:
        return network
    if side < natural.TRAINED_SIDE:
        raise StudioError(f"--side must be at least {natural.TRAINED_SIDE}.")
    pixels = replace(network.pixels, height=side, width=side)
    options = Options(pixels, args.labels, args.partial, class_layer=args.class_layer)
    return open_network(network.name, network.weights, options)


def _result(training: rounds.Training, job: Job) -> dict[str, torch.Tensor]:
    """Return the averaged parameters in the form that is written."""
    state = training.average.state_dict()
    return {name: value.half() for name, value in state.items()} if job.half else state


def _finish(
    args: argparse.Namespace,
    network: Network,
    training: rounds.Training,
    job: Job,
    seconds: float,
) -> None:
    """Measure the discriminator with new chains unless this is disabled; write weights and card."""
    state = _result(training, job)
    module = copy.deepcopy(training.learner.module)
    module.load_state_dict(state)
    row = DISCRIMINATORS[job.name]
    figures = {}
    # The judges know only the classes of the built-in networks.
    judged = row.real_images == PHOTOGRAPHS or network.name in NETWORKS
    if args.chains_per_class and judged:
        figures = job.measure(DiscriminatorModel(job.name, module, row.takes))
    if (info := training.info) is not None:
        for kind, share in (("real", info.real_probability), ("generated", info.fake_probability)):
            figures[f"mean P(real) of {kind} images while learning, last round"] = f"{share:.2f}"
    card = artifact.Card(
        file=f"{job.name}.safetensors",
        what=job.what,
        data=job.data,
        recipe=job.recipe.describe(),
        command=_command(args, network),
        seed=args.seed,
        seconds=seconds,
        measured=figures,
        licence=job.licence,
    )
    card.write_with(state, args.out, job.what.partition(":")[0])
    print(card.summary(args.out))


def _command(args: argparse.Namespace, network: Network) -> str:
    """Return the command line that repeats this training."""
    words = f"ldam-studio train discriminator --network {network.name}"
    if args.weights is not None:
        words += f" --weights {args.weights.name}"
    name = discriminator_for(network)
    photographs = name is not None and DISCRIMINATORS[name].real_images == PHOTOGRAPHS
    if photographs or args.side is not None:
        words += "".join(f" --data {place.name}" for place in args.data or ())
    if args.side is not None:
        words += f" --side {args.side}"
    if args.shape is not None:
        words += f" --shape {args.shape}"
    words += f" --seed {args.seed}"
    return words if args.rounds is None else f"{words} --rounds {args.rounds}"
