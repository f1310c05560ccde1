"""The networks of the figures: LeNet and VGG, each with its twin with averaged parameters."""

from __future__ import annotations

import argparse
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.built_in import BUILT_IN, MNIST_PIXELS
from ldam_studio.networks.sources.opening import open_network


def add_digit_network(parser: argparse.ArgumentParser) -> None:
    """Add ``--network``, limited to the networks of digits, and ``--weights``."""
    parser.add_argument(
        "--network", type=_digit_network, default="lenet", help="lenet or lenet-averaged"
    )
    parser.add_argument("--weights", type=Path, help="weights to use instead of the shipped ones")


def _digit_network(name: str) -> str:
    digits = [each for each, one in BUILT_IN.items() if one.pixels == MNIST_PIXELS]
    if name not in digits:
        raise StudioError(
            f"This figure shows MNIST's digits, which {name!r} does not know; choose "
            f"{' or '.join(digits)}."
        )
    return name


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add ``--weights``."""
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="weights to use instead of the shipped ones"
    )


def add_twins(parser: argparse.ArgumentParser) -> None:
    """Add ``--weights`` and ``--averaged-weights``."""
    add_weights(parser)
    parser.add_argument(
        "--averaged-weights", type=Path, metavar="FILE", help="the same for the averaged twin"
    )


def open_twins(args: argparse.Namespace, name: str) -> tuple[Network, Network]:
    """Open a built-in network after its last epoch, and its twin with averaged parameters.

    Raises
    ------
    StudioError
        If weights are missing or damaged.
    """
    return (
        open_network(name, args.weights),
        open_network(f"{name}-averaged", args.averaged_weights),
    )
