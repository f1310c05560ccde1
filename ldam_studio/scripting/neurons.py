"""Choosing neurons: by their address, a range, a class's name or its number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index
from typing import SupportsIndex

from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron, typed_neurons, unsigned
from ldam_studio.networks.sources.labels import class_called, classes_like

Neurons = str | SupportsIndex | Iterable[str | SupportsIndex]
"""Addresses, ranges of them, names of classes, or numbers of classes, also as an array."""


def chosen(neurons: Neurons, network: Network) -> list[Neuron]:
    """Return the neurons that a script names, each at least once, all of them in one layer.

    Raises
    ------
    StudioError
        If there are none, the network has no such neuron, they are in several layers, or numbers
        are given and the network returns nothing that could be its classes.
    """
    found: list[Neuron] = []
    for each in _singly(neurons):
        if isinstance(each, str):
            found += neurons_of([each], network)
        elif isinstance(each, SupportsIndex) and not isinstance(each, bool):
            found.append(_class_of(index(each), network))
        else:
            raise StudioError(f"A neuron is named by an address or a number, not by {each!r}.")
    layers = list(dict.fromkeys(neuron.layer for neuron in found))
    if not layers:
        raise StudioError(
            f"There are no neurons to draw; name one, for example {network.class_layer.name}:0."
        )
    if len(layers) > 1:
        raise StudioError(
            f"The neurons of a run are in one layer, and these are in {', '.join(layers)}; name "
            "neurons of one layer."
        )
    return found


def _singly(neurons: object) -> Iterable[object]:
    """Return the single neurons of several; what is one, or is none, by itself."""
    if isinstance(neurons, str | bytes) or not isinstance(neurons, Iterable):
        return [neurons]
    # Arrays without dimensions, such as what argmax returns, only look as if they had parts.
    return [neurons] if getattr(neurons, "ndim", None) == 0 else neurons


def _class_of(number: int, network: Network) -> Neuron:
    last = network.class_layer
    if not network.listing.entries and network.provenance.given_class_layer is None:
        raise StudioError(
            f"{network.name} returns nothing that could be its classes, so the number {number} "
            f"says too little; name a neuron with its layer, for example {last.name}:{number}."
        )
    return network.check(Neuron(last.name, number))


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
