"""``ldam-studio train denoiser``: trains the denoiser, the learned prior of photographs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.progress import INTERRUPTED, TrainingBar
from ldam_studio.commands.train.flags import MOST_SEED, stopped
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder
from ldam_studio.networks.models.denoiser import Denoiser
from ldam_studio.training import artifact, denoiser
from ldam_studio.training.denoiser import DenoiserRecipe, DenoiserTraining
from ldam_studio.training.kept import RUN_FILE, Kept
from ldam_studio.training.photos import Photos, draw_crops, find_photos
from ldam_studio.training.resume import kept_in, other_settings, write_kept

NAME = "denoiser"
RECIPE = DenoiserRecipe()
MEASURED_CROPS = 200
LICENCE = "GPL-3.0-or-later, as the program; the photographs' own terms are their owners'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument(
        "--data",
        type=Path,
        action="append",
        metavar="DIR",
        help="folder or zip of photographs; may be given several times, best first",
    )
    flags.add_out(parser, f"out/{NAME}")
    flags.add_seed(parser, 0, MOST_SEED)
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    parser.add_argument(
        "--rounds",
        type=flags.whole_number("--rounds", 1, 1_000_000),
        metavar="N",
        help=f"number of rounds of {RECIPE.round_steps} steps; default "
        f"{RECIPE.rounds}, as for the shipped weights",
    )


def run(args: argparse.Namespace) -> int:
    """Train, write weights and card, print the measures; return the exit code.

    Raises
    ------
    StudioError
        If a flag is out of range, the data is missing or damaged, or a file cannot be written.
    """
    if not args.data:
        raise StudioError(
            "The denoiser learns from photographs; name a folder or a zip of them with --data."
        )
    sources = [find_photos(place) for place in args.data]
    parts = [denoiser.parted(photos) for photos in sources]
    recipe = RECIPE if args.rounds is None else replace(RECIPE, rounds=args.rounds)
    check_folder(args.out)
    # What is learned depends on the number of threads in its last bits.
    torch.set_num_threads(1)
    training = denoiser.start(recipe, args.seed)
    kept = _KeptTraining(args.out / RUN_FILE, recipe, sources, args.seed)
    if args.resume:
        kept.load(training)
    try:
        with TrainingBar(NAME) as bar:
            for _ in denoiser.train(training, recipe, [trained for trained, _ in parts]):
                kept.save(training)
                bar.step(training.rounds, recipe.rounds)
                bar.epoch(f"round {training.rounds}: loss {training.loss:.3f}")
        _finish(args, recipe, sources, [held for _, held in parts], training, kept.total())
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
        self, path: Path, recipe: DenoiserRecipe, sources: Sequence[Photos], seed: int
    ) -> None:
        super().__init__(path, "round", recipe.rounds)
        self._rounds, self._falling = recipe.rounds, recipe.decay / recipe.round_steps
        settings = {name: value for name, value in asdict(recipe).items() if name != "rounds"}
        counts = [len(photos) for photos in sources]
        self._about = {"recipe": settings, "photographs": counts, "seed": seed}

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
    sources: Sequence[Photos],
    held_back: Sequence[Photos],
    training: DenoiserTraining,
    seconds: float,
) -> None:
    """Measure the averaged parameters on photographs that were kept back; write weights, card."""
    # Float16 is precise enough for them.
    state = {name: value.half() for name, value in training.average.state_dict().items()}
    module = Denoiser()
    module.load_state_dict(state)
    side = denoiser.crop_side(held_back[0])
    random = torch.Generator().manual_seed(args.seed + 1)
    clean = draw_crops(held_back[:1], MEASURED_CROPS, (side, side), random).float() / 255
    found = denoiser.errors(module, clean, args.seed + 1)
    figures = {
        f"root mean squared error at noise {level:g}, {MEASURED_CROPS} crops of "
        f"{len(held_back[0])} photographs kept back": f"{error:.4f}"
        for level, error in found.items()
    }
    file = f"{NAME}.safetensors"
    sha256 = artifact.save_weights(state, args.out / file, f"denoiser, seed {args.seed}")
    named = " and ".join(f"{len(photos):,} of {photos.place.name}" for photos in sources)
    artifact.Card(
        file=file,
        what=(
            "Denoiser of photographs for LDAM: the mean of the clean images given a noisy one and "
            "its noise level. Input: RGB images of any size, 0 = black, 1 = white."
        ),
        data=(
            f"photographs ({named}; one in {denoiser.KEEP_BACK} kept back; random crops of up to "
            f"{denoiser.LARGEST_CROP} pixels, half of them mirrored)"
        ),
        recipe=recipe.describe(),
        command=_command(args),
        seed=args.seed,
        seconds=seconds,
        sha256=sha256,
        measured=figures,
        licence=LICENCE,
    ).write(args.out)
    print(args.out / file)
    for what, value in figures.items():
        print(f"  {what}: {value}")


def _command(args: argparse.Namespace) -> str:
    """Return the command line that repeats this training."""
    data = "".join(f" --data {place.name}" for place in args.data)
    rounds = "" if args.rounds is None else f" --rounds {args.rounds}"
    return f"ldam-studio train denoiser{data} --seed {args.seed}{rounds}"
