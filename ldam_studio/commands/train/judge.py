"""``ldam-studio train judge``: train the second opinion on what the chains show."""

from __future__ import annotations

import argparse
from pathlib import Path

from ldam_studio.analysis.judging import BENCHES, SEED, train_judge
from ldam_studio.commands.shared.progress import INTERRUPTED
from ldam_studio.commands.train.kept import RUN_FILE, KeptRun, add_resume
from ldam_studio.errors import StudioError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.add_argument("--of", default="mnist", choices=list(BENCHES), help="what it judges")
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
    bench = BENCHES[args.of]
    recipe = bench.recipe if args.epochs is None else bench.recipe.with_epochs(args.epochs)
    kept = KeptRun(args.out / f"{bench.name}-{RUN_FILE}", recipe, seed=args.seed)
    try:
        accuracy = train_judge(
            bench, kept, recipe, args.seed, args.data, args.download, resume=args.resume
        )
    except KeyboardInterrupt:
        print(kept.stopped())
        return INTERRUPTED
    print(f"judge, seed {args.seed}: {accuracy:.2%} -> {args.out / bench.file}")
    return 0
