"""``ldam-studio train judge``: train the second opinion on what the chains show."""

from __future__ import annotations

import argparse
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.headless.judge import NAME, SEED, train_judge
from ldam_studio.headless.progress import INTERRUPTED
from ldam_studio.training.classifier import JUDGE_RECIPE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--data", type=Path, help="folder of MNIST's four .gz files")
    parser.add_argument("--download", action="store_true", help="fetch MNIST where it is missing")
    parser.add_argument("--out", type=Path, default=Path("out/judge"), help="where files go")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--epochs", type=int, default=JUDGE_RECIPE.epochs)


def run(args: argparse.Namespace) -> int:
    """Train and write the judge, print its accuracy; return the exit code.

    Raises
    ------
    StudioError
        A flag is out of range, the data is missing or damaged, a file cannot be written.
    """
    if args.epochs < 1 or args.seed < 0:
        raise StudioError("--epochs must be at least 1 and --seed 0 or more.")
    try:
        accuracy = train_judge(args.out, args.seed, args.data, args.download, args.epochs)
    except KeyboardInterrupt:
        print("stopped; nothing was written")
        return INTERRUPTED
    print(f"judge, seed {args.seed}: {accuracy:.2%} -> {args.out / NAME}")
    return 0
