"""Choosing neurons: by their address, a range, a class's name, or spread over all classes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ldam_studio.analysis.class_splits import RULE, SPLITS, classes_of
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron, typed_neurons, unsigned
from ldam_studio.networks.sources.labels import class_called, classes_like


def neurons_of(texts: Sequence[str] | None, network: Network) -> list[Neuron]:
    """Return the neurons that ``--neuron`` names: addresses, ranges of them, or names of classes.

    Raises
    ------
    StudioError
        If a text is none of these, or the network has no such neuron.
    """
    return [
        network.check(neuron) for text in texts or () for neuron in _neurons_called(text, network)
    ]


def _neurons_called(text: str, network: Network) -> list[Neuron]:
    last = network.class_layer.name
    name = unsigned(text.strip()).removeprefix(f"{last}:")
    layers = {layer.name for layer in network.layers}
    index = class_called(name, network.labels)
    try:
        neurons = typed_neurons(text, layers)
        if index is None or neurons[0].layer in layers:
            return neurons
    except StudioError:
        if index is None and not (near := classes_like(name, network.labels)):
            raise
    if index is None:
        raise StudioError(
            f"{text!r} is neither a neuron, for example {last}:0, nor a class; similar classes: "
            f"{', '.join(near)}."
        )
    return [Neuron(last, index, sign=-1 if text.strip().startswith("-") else 1)]


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
