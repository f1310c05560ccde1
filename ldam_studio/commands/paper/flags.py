"""Flags that the paper's figures share."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ldam_studio.commands.shared.flags import whole_number
from ldam_studio.engine.compute.device import DEVICES, Device, choose
from ldam_studio.errors import StudioError
from ldam_studio.files import check_folder, write_together
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.built_in import BUILT_IN, MNIST_PIXELS
from ldam_studio.networks.sources.opening import open_network


def add_common(parser: argparse.ArgumentParser, chains_per_class: int, steps: int) -> None:
    """Declare network, seed, size and folder."""
    parser.add_argument("--network", default="lenet", help="lenet or lenet-averaged")
    parser.add_argument("--weights", type=Path, help="the network's weights, where not shipped")
    add_output(parser)
    parser.add_argument("--chains-per-class", type=int, default=chains_per_class)
    parser.add_argument("--steps", type=int, default=steps)


def add_twins(
    parser: argparse.ArgumentParser, chains_per_class: int, steps: int, averaged: bool = True
) -> None:
    """Declare the flags of figures of a network and maybe its twin with averaged parameters."""
    parser.add_argument("--weights", type=Path, metavar="FILE", help="in place of the shipped ones")
    if averaged:
        parser.add_argument(
            "--averaged-weights", type=Path, metavar="FILE", help="the same for the averaged twin"
        )
    add_output(parser)
    for name, least, default in (
        ("--chains-per-class", 2, chains_per_class),
        ("--steps", 1, steps),
    ):
        parser.add_argument(
            name,
            type=whole_number(name, least, 1_000_000),
            default=default,
            metavar="N",
            help=f"default {default}",
        )


def open_twins(args: argparse.Namespace, name: str) -> tuple[Network, Network]:
    """Open a built-in network as its training ended, and its twin with averaged parameters.

    Raises
    ------
    StudioError
        Weights are missing or damaged, or the folder for the output cannot be written.
    """
    check_folder(args.out)
    twins = (name, args.weights), (f"{name}-averaged", args.averaged_weights)
    base, averaged = (open_network(*twin) for twin in twins)
    return base, averaged


def add_output(parser: argparse.ArgumentParser) -> None:
    """Declare folder and seed."""
    parser.add_argument("--out", type=Path, default=Path("out/paper"), help="where files go")
    parser.add_argument("--seed", type=whole_number("--seed", 0, 2**63 - 1), default=0, metavar="N")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Declare where to run. Figures are in float32: their numbers are not to depend on the rest."""
    group = parser.add_argument_group("machine")
    group.add_argument("--device", default="auto", metavar="|".join(DEVICES))
    group.add_argument(
        "--threads",
        type=whole_number("--threads", 1, 1024),
        default=1,
        metavar="N",
        help="of the processor; default 1",
    )


def device_of(args: argparse.Namespace) -> Device:
    """Return the device that the flags ask for."""
    return choose(args.device, "float32", args.threads)


def check_common(args: argparse.Namespace, least_steps: int = 1) -> None:
    """Raise `StudioError` where a shared flag is out of range or the folder cannot be written."""
    digits = [name for name, one in BUILT_IN.items() if one.pixels == MNIST_PIXELS]
    if args.network not in digits:
        raise StudioError(
            f"this figure is of MNIST's digits, not of a network {args.network!r}; choose "
            f"{' or '.join(digits)}."
        )
    least = {"chains_per_class": 1, "steps": least_steps}
    for name, minimum in least.items():
        if getattr(args, name) < minimum:
            flag = "--" + name.replace("_", "-")
            raise StudioError(f"{flag} is {getattr(args, name)}; it must be at least {minimum}.")
    check_folder(args.out)


def write_figure(folder: Path, name: str, png: bytes, figures: dict[str, Any]) -> None:
    """Write ``name.png`` and ``name.json`` and say where they are.

    Raises
    ------
    StudioError
        The folder cannot be written.
    """
    picture, numbers = folder / f"{name}.png", folder / f"{name}.json"
    write_together({picture: png, numbers: (json.dumps(figures, indent=2) + "\n").encode()})
    print(f"{picture}\n{numbers}")
