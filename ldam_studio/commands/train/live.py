"""``ldam-studio train live``: trains LeNet while the studio watches and sends commands."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import torch

from ldam_studio.commands.shared.flags import whole_number
from ldam_studio.commands.shared.priority import give_way
from ldam_studio.commands.train.flags import MNIST, add_training
from ldam_studio.commands.train.live_training import LiveTraining
from ldam_studio.engine.watching.process import Commands, Telling
from ldam_studio.errors import StudioError

EVERY = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    add_training(parser, "out/live", data=MNIST, fetched="MNIST")
    parser.add_argument(
        "--every",
        type=whole_number("--every", 1, 100_000),
        default=EVERY,
        metavar="N",
        help=f"steps between two checkpoints; default {EVERY}",
    )
    parser.add_argument(
        "--learning-rate", type=float, metavar="N", help="used instead of the recipe's schedule"
    )
    parser.add_argument(
        "--alone",
        action="store_true",
        help="read no commands, and do not stop when standard input is closed",
    )


def run(args: argparse.Namespace) -> int:
    """Train, write checkpoints, report the status; return the exit code.

    Raises
    ------
    StudioError
        If MNIST is missing in the given folder or damaged, checkpoints cannot be written, or the
        training diverged.
    """
    # On a network this small, more threads take longer, and they change the last bits.
    torch.set_num_threads(1)
    give_way()
    return follow(args, None if args.alone else sys.stdin.fileno(), sys.stdout.fileno())


def follow(args: argparse.Namespace, commands: int | None, statuses: int) -> int:
    """Train as `run` does; read commands from one open file and write statuses to another."""
    told = Telling(statuses)
    try:
        return LiveTraining(args, Commands(commands), told).run()
    except StudioError as error:
        told.tell(replace(told.last, state="failed", error=str(error)))
        raise
