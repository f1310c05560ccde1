"""``ldam-studio train judge``: train the second opinion on what the chains show."""

from __future__ import annotations

import argparse
from pathlib import Path

from ldam_studio.analysis.judging import KINDS, SEED, train_judge
from ldam_studio.commands.shared.progress import INTERRUPTED, TrainingBar
from ldam_studio.commands.train.resume import add_resume, stopped
from ldam_studio.errors import StudioError
from ldam_studio.training.kept import RUN_FILE, KeptRun


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--of", default="mnist", choices=list(KINDS), help="what it judges")
    parser.add_argument("--data", type=Path, help="folder of MNIST's four .gz files, or CIFAR-10")
    parser.add_argument("--download", action="store_true", help="fetch it where it is missing")
    parser.add_argument("--out", type=Path, default=Path("out/judge"), help="where files go")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--epochs", type=int, help="default: as the shipped one was trained")
    add_resume(parser)


def run(args: argparse.Namespace) -> int:
    """Train and write the judge, print its accuracy; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, the data is missing or damaged, a file cannot be written.
    """
    if (args.epochs is not None and args.epochs < 1) or args.seed < 0:
        raise StudioError("--epochs must be at least 1 and --seed 0 or more.")
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
