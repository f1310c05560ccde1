"""Choosing neurons of several layers by patterns, numbers and addresses."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from ldam_studio.commands.shared.sheets import numbers_in
from ldam_studio.errors import StudioError
from ldam_studio.explore.sheets.spec import neurons_in
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.scripting.neurons import neurons_of

NAMED = 3
"""Layers that a sentence names."""


def chosen(
    network: Network, patterns: Sequence[str] | None, texts: Sequence[str] | None
) -> tuple[tuple[Neuron, ...], ...]:
    """Return the neurons that ``--layers`` and ``--neurons`` name, layer by layer, each once.

    Raises
    ------
    StudioError
        If no layer matches a pattern, or there is no such neuron.
    """
    layers = [name for pattern in patterns or () for name in _matching(network, pattern)]
    numbered = layers or [network.class_layer.name]
    found = list[Neuron]()
    if not texts:
        for layer in numbered:
            found += neurons_in(network, layer)
    for text in texts or ():
        numbers = numbers_in(text)
        if numbers is None:
            found += _within(neurons_of([text], network), layers)
        else:
            found += _numbered(network, numbered, numbers)
    by_layer: dict[str, dict[Neuron, None]] = {}
    for neuron in found:
        by_layer.setdefault(neuron.layer, {})[neuron] = None
    order = [layer.name for layer in network.layers]
    return tuple(tuple(by_layer[name]) for name in order if name in by_layer)


def _matching(network: Network, pattern: str) -> Sequence[str]:
    names = [layer.name for layer in network.layers]
    found = [pattern] if pattern in names else fnmatch.filter(names, pattern)
    if not found:
        some = ", ".join([*names[:NAMED], *(["…"] if names[NAMED:] else [])])
        raise StudioError(
            f"No layer of {network.name} matches {pattern!r}; it has {some}: see ldam-studio info "
            f"--network {network.name}."
        )
    return found


def _numbered(network: Network, layers: Sequence[str], numbers: Sequence[int]) -> Sequence[Neuron]:
    found = list[Neuron]()
    for layer in layers:
        count = network.layer(layer).neurons
        found += neurons_in(network, layer, [number for number in numbers if number < count])
    if not found:
        raise StudioError(
            f"None of the layers {', '.join(layers[:NAMED])} has a neuron {min(numbers)}; choose "
            "smaller numbers."
        )
    return found


def _within(neurons: Sequence[Neuron], layers: Sequence[str]) -> Sequence[Neuron]:
    for neuron in neurons:
        if layers and neuron.layer not in layers:
            raise StudioError(f"{neuron} is in no layer that --layers names; add its layer.")
    return neurons
