"""``ldam-studio train judge``: trains the judge that says what the chains' images show."""

from __future__ import annotations

import argparse

from ldam_studio.analysis.judging import KINDS, SEED, train_judge
from ldam_studio.commands.shared.progress import INTERRUPTED, TrainingBar
from ldam_studio.commands.train.flags import EITHER, add_epochs, add_training, stopped
from ldam_studio.training.kept import RUN_FILE, KeptRun


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--of", default="mnist", choices=list(KINDS), help="what it judges")
    add_training(parser, "out/judge", data=EITHER, seed=SEED)
    add_epochs(parser, None)


def run(args: argparse.Namespace) -> int:
    """Train and write the judge, print its accuracy; return the exit code.

    Raises
    ------
    StudioError
        If a flag is out of range, the data is missing or damaged, or a file cannot be written.
    """
    kind = KINDS[args.of]
    recipe = kind.recipe if args.epochs is None else kind.recipe.with_epochs(args.epochs)
    kept = KeptRun(args.out / f"{kind.name}-{RUN_FILE}", recipe, seed=args.seed)
    try:
        with TrainingBar("judge") as bar:
            accuracy = train_judge(
                kind, kept, recipe, args.seed, args.data, args.download, bar, resume=args.resume
            )
    except KeyboardInterrupt:
        print(stopped(kept))
        return INTERRUPTED
    print(f"judge, seed {args.seed}: {accuracy:.2%} -> {args.out / kind.file}")
    return 0
