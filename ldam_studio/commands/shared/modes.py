"""Shared parts of the two commands that count modes: the plan's flags, the table, the gallery."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from ldam_studio.analysis.class_images import likeness, real_groups, real_images
from ldam_studio.analysis.intervals import Interval
from ldam_studio.analysis.modality import Groups, Modality, Plan
from ldam_studio.analysis.mode_statistics import of_real
from ldam_studio.commands.shared.figure import add_count, row_of_pictures
from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.sheet import ZOOM, sheet
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron

SHOWN = 8
"""Largest number of modes of a neuron in the gallery."""

ENLARGED = 64
"""Pictures with sides of at most this many pixels are enlarged in the gallery."""

SETTINGS = {"step_size": 0.1, "temperature": 0.1, "l2": 2.0}
"""Settings that are used unless a flag or a preset changes them.

There is no discriminator, so that the pictures depend only on the network. L2 limits a picture's
root-mean-square to 1 / (2 L2), a quarter of the range from black to white, as in real images. With
a smaller L2 weight the chains end far outside of the training data, each in a different optimum.
The temperature lets a chain cross shallow barriers between optima."""


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say how the chains of each neuron are run and grouped."""
    plan = Plan()
    add_count(parser, "--chains", 1, plan.chains, "number of chains of each neuron")
    add_count(parser, "--cooling", 0, plan.cooling, "steps of cooling from 100-fold temperature")
    add_count(parser, "--averaged", 1, plan.averaged, "steps after that, which are averaged")
    parser.add_argument(
        "--similarity",
        type=_cosine,
        metavar="COSINE",
        help="cosine above which two groups of averages form one mode; default: that of two real "
        f"images of a class if the program has some, else {plan.similarity}",
    )


def _cosine(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise StudioError(f"--similarity must be a number, not {text!r}.") from None
    if not -1 <= value <= 1:
        raise StudioError(f"--similarity must lie between -1 and 1, not {value:g}.")
    return value


def plan_of(args: argparse.Namespace, network: Network) -> tuple[Plan, list[Groups]]:
    """Return the plan from the flags, and groups of real images with the same plan.

    There are as many real images of each class as chains of a neuron.

    Raises
    ------
    StudioError
        If the data that was named is missing or damaged.
    """
    images = real_images(network, args.data)
    least = args.similarity
    if least is None:
        least = Plan().similarity if images is None else round(likeness(network, images), 3)
    plan = Plan(args.chains, args.cooling, args.averaged, least)
    real = [] if images is None else real_groups(network, images, plan.chains, least)
    return plan, real


def table(
    columns: Sequence[tuple[str, Mapping[str, Interval]]], plan: Plan, real: Sequence[Groups]
) -> list[str]:
    """Return the lines of a table: each summary under its name, then real images' measures."""
    lines = []
    for name, summary in columns:
        lines.append(name)
        lines += [f"  {measure:18} {interval}" for measure, interval in summary.items()]
    last = f"one mode from a cosine of {plan.similarity:g} on"
    if real:
        values = ", ".join(f"{name} {value:.3f}" for name, value in of_real(real).items())
        last += f"; {plan.chains} real images of a class: {values}"
    return [*lines, last]


def gallery(network: Network, neurons: Sequence[Neuron], each: Sequence[Modality]) -> bytes:
    """Return a PNG with a row for each neuron: its modes, the largest first, and their shares."""
    columns = max(min(SHOWN, len(modality.shares)) for modality in each)
    lines: list[list[Bytes]] = []
    words = []
    for neuron, modality in zip(neurons, each, strict=True):
        pictures = modality.pictures[:SHOWN]
        lines.append(row_of_pictures(pictures, network.pixels, "signed"))
        shares = " ".join(f"{share:.0%}" for share in modality.shares[:3])
        words.append(f"{network.label(neuron)}: {shares}")
    zoom = ZOOM if max(network.pixels.height, network.pixels.width) <= ENLARGED else 1
    return sheet(lines, words, [f"mode {number + 1}" for number in range(columns)], zoom)
