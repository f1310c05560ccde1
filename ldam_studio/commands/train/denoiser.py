"""``ldam-studio train denoiser``: trains a denoiser, the learned prior of photographs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.progress import INTERRUPTED, TrainingBar
from ldam_studio.commands.train.denoiser_kinds import KINDS, Lessons
from ldam_studio.commands.train.flags import add_training, stopped
from ldam_studio.files import check_folder
from ldam_studio.networks.discriminators import CIFAR10, PHOTOGRAPHS
from ldam_studio.networks.models.denoiser import Denoiser
from ldam_studio.training import artifact, denoiser
from ldam_studio.training.denoiser import DenoiserRecipe, DenoiserTraining
from ldam_studio.training.kept import RUN_FILE, Kept
from ldam_studio.training.resume import kept_in, other_settings, write_kept


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument(
        "--images",
        default=PHOTOGRAPHS,
        choices=list(KINDS),
        help=f"what it learns from: {PHOTOGRAPHS} (the default), for images of at least 64 pixels, "
        f"or {CIFAR10}, for smaller ones",
    )
    add_training(
        parser,
        "out/denoiser",
        data="folder or zip of photographs; may be given several times, best first; or the folder "
        "of CIFAR-10",
        fetched="CIFAR-10",
        several=True,
    )
    parser.add_argument(
        "--rounds",
        type=flags.whole_number("--rounds", 1, 1_000_000),
        metavar="N",
        help=f"number of rounds of {DenoiserRecipe.round_steps} steps; default as for the shipped "
        "weights: "
        + " or ".join(f"{kind.recipe.rounds} ({images})" for images, kind in KINDS.items()),
    )


def run(args: argparse.Namespace) -> int:
    """Train, write weights and card, print the measures; return the exit code.

    Raises
    ------
    StudioError
        If a flag is out of range, the data is missing or damaged, or a file cannot be written.
    """
    kind = KINDS[args.images]
    lessons = kind.lessons(args)
    recipe = kind.recipe if args.rounds is None else replace(kind.recipe, rounds=args.rounds)
    check_folder(args.out)
    # What is learned depends on the number of threads in its last bits.
    torch.set_num_threads(1)
    training = denoiser.start(recipe, args.seed)
    path = args.out / f"{kind.name}-{RUN_FILE}"
    kept = _KeptTraining(path, recipe, lessons.counts, args.seed)
    if args.resume:
        kept.load(training)
    try:
        with TrainingBar(kind.name) as bar:
            for _ in denoiser.train(training, recipe, lessons.sources):
                kept.save(training)
                bar.step(training.rounds, recipe.rounds)
                bar.epoch(f"round {training.rounds}: loss {training.loss:.3f}")
        _finish(args, recipe, lessons, training, kept.total())
    except KeyboardInterrupt:
        print(stopped(kept))
        return INTERRUPTED
    return 0


class _KeptTraining(Kept):
    """A denoiser's training, saved after each round.

    It may be resumed with another number of rounds: until the learning rate falls, the training
    does not depend on it.
    """

    def __init__(
        self, path: Path, recipe: DenoiserRecipe, counts: Sequence[int], seed: int
    ) -> None:
        super().__init__(path, "round", recipe.rounds)
        self._rounds, self._falling = recipe.rounds, recipe.decay / recipe.round_steps
        settings = {name: value for name, value in asdict(recipe).items() if name != "rounds"}
        self._about = {"recipe": settings, "images": list(counts), "seed": seed}

    def load(self, training: DenoiserTraining) -> None:
        """Bring a new training to the state in the file.

        Raises
        ------
        StudioError
            If the file is missing or damaged, or belongs to a training with other settings.
        """
        with kept_in(self.path) as kept:
            fewest = min(kept["rounds"], self._rounds)
            early = kept["training"]["rounds"] <= fewest - self._falling
            if kept["about"] != self._about or not (early or kept["rounds"] == self._rounds):
                raise other_settings(self.path)
            training.restore(kept["training"])
            self.mark(training.rounds, kept["seconds"])

    def save(self, training: DenoiserTraining) -> None:
        """Save the training after a round."""
        seconds = self.total()
        content = {
            "about": self._about,
            "rounds": self._rounds,
            "training": training.stored(),
            "seconds": seconds,
        }
        write_kept(self.path, content)
        self.mark(training.rounds, seconds)


def _finish(
    args: argparse.Namespace,
    recipe: DenoiserRecipe,
    lessons: Lessons,
    training: DenoiserTraining,
    seconds: float,
) -> None:
    """Measure the averaged parameters on images that were kept back; write weights and card."""
    kind = KINDS[args.images]
    # Float16 is precise enough for them.
    state = {name: value.half() for name, value in training.average.state_dict().items()}
    module = Denoiser()
    module.load_state_dict(state)
    found = denoiser.errors(module, lessons.held_back.float() / 255, args.seed + 1)
    figures = {
        f"root mean squared error at noise {level:g}, {lessons.held_back_are}": f"{error:.4f}"
        for level, error in found.items()
    }
    card = artifact.Card(
        file=f"{kind.name}.safetensors",
        what=kind.what,
        data=lessons.data,
        recipe=recipe.describe(),
        command=_command(args),
        seed=args.seed,
        seconds=seconds,
        measured=figures,
        licence=kind.licence,
    )
    card.write_with(state, args.out, f"denoiser, seed {args.seed}")
    print(card.summary(args.out))


def _command(args: argparse.Namespace) -> str:
    """Return the command line that repeats this training."""
    images = "" if args.images == PHOTOGRAPHS else f" --images {args.images}"
    # CIFAR-10 is found by its content, whatever its folder is called.
    places = args.data if args.images == PHOTOGRAPHS else []
    data = "".join(f" --data {place.name}" for place in places)
    rounds = "" if args.rounds is None else f" --rounds {args.rounds}"
    return f"ldam-studio train denoiser{images}{data} --seed {args.seed}{rounds}"
