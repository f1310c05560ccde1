"""Choosing classes: those of a split, and spread over all of them."""

from __future__ import annotations

import argparse

from ldam_studio.analysis.class_splits import RULE, SPLITS, classes_of
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron


def add_split(parser: argparse.ArgumentParser) -> None:
    """Add ``--split``, which keeps classes for tuning and classes for reporting apart."""
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="report",
        help=f"which classes are drawn: settings are chosen on tune, figures are reported on "
        f"report; {RULE}. Default report",
    )


def spread_classes(network: Network, count: int, split: str | None = None) -> tuple[Neuron, ...]:
    """Return ``count`` class neurons, evenly spread: numbers 0, N/count, 2 N/count and so on.

    With a ``split``, they are spread over its N classes, else over all.

    Raises
    ------
    StudioError
        If there are fewer classes.
    """
    last = network.class_layer
    classes = range(last.neurons) if split is None else classes_of(split, last.neurons)
    if not 1 <= count <= len(classes):
        within = "" if split is None else f" that are in --split {split}"
        raise StudioError(
            f"--classes must lie between 1 and {len(classes)}, the number of classes of "
            f"{network.name}{within}, not {count}."
        )
    return tuple(
        Neuron(last.name, classes[number * len(classes) // count]) for number in range(count)
    )
