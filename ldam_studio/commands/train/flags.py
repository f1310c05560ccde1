"""The flags that the trainings share, and the text that a training prints when it is stopped."""

from __future__ import annotations

import argparse

from ldam_studio.commands.shared.flags import add_data, add_out, add_seed, whole_number
from ldam_studio.training.kept import Kept

MNIST = "folder of MNIST's four .gz files"
CIFAR10 = "folder of CIFAR-10"
MOST_SEED = 2**31  # a training adds to its seed, which has to stay below 2**63
EITHER = f"{MNIST}, or of CIFAR-10"


def add_training(
    parser: argparse.ArgumentParser,
    out: str,
    *,
    data: str,
    fetched: str = "it",
    seed: int = 0,
    several: bool = False,
) -> None:
    """Add ``--data``, ``--download``, ``--out``, ``--seed`` and ``--resume``.

    Parameters
    ----------
    out
        Default of ``--out``.
    data, fetched, several
        See `add_data`.
    seed
        Default of ``--seed``.
    """
    add_data(parser, data, fetched, several=several)
    add_out(parser, out)
    add_seed(parser, seed, MOST_SEED)
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")


def add_epochs(parser: argparse.ArgumentParser, default: int | None) -> None:
    """Add ``--epochs``; None means the number for the shipped weights."""
    shown = "as for the shipped weights" if default is None else default
    parser.add_argument(
        "--epochs",
        type=whole_number("--epochs", 1, 10_000),
        default=default,
        metavar="N",
        help=f"passes through the data; default {shown}",
    )


def stopped(kept: Kept) -> str:
    """Return the sentence that a training prints after Ctrl-C."""
    if not kept.done:
        return f"stopped before the first {kept.unit} was saved; start it again"
    done = f"stopped; {kept.unit} {kept.done} of {kept.of} is the last that was saved"
    return f"{done}; --resume continues from there"
