"""Choosing neurons: by their address, a range, a class's name, or spread over all classes."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron, parse_neurons
from ldam_studio.networks.sources.labels import class_called, classes_like


def neurons_of(texts: Sequence[str] | None, network: Network) -> list[Neuron]:
    """Return the neurons that ``--neuron`` names: addresses, ranges of them, or classes by name.

    Raises
    ------
    StudioError
        If a text is none of these.
    """
    return [neuron for text in texts or () for neuron in _neurons_called(text, network)]


def _neurons_called(text: str, network: Network) -> list[Neuron]:
    last = network.layers[-1].name
    name = text.strip().removeprefix("-").removeprefix(f"{last}:")
    try:
        return parse_neurons(text)
    except StudioError:
        index = class_called(name, network.labels)
        if index is None and not (near := classes_like(name, network.labels)):
            raise
    if index is None:
        raise StudioError(
            f"{text!r} is no neuron, such as {last}:0, and no class; there is {', '.join(near)}."
        )
    return [Neuron(last, index, sign=-1 if text.strip().startswith("-") else 1)]


def spread_classes(network: Network, count: int) -> tuple[Neuron, ...]:
    """Return ``count`` class neurons, evenly spread: numbers 0, N/count, 2 N/count and so on.

    Raises
    ------
    StudioError
        If the network has fewer classes.
    """
    last = network.layers[-1]
    if not 1 <= count <= last.neurons:
        raise StudioError(
            f"--classes must lie between 1 and {last.neurons}, the classes of {network.name}, not "
            f"{count}."
        )
    return tuple(Neuron(last.name, number * last.neurons // count) for number in range(count))
