"""Makes the entries of the picker's lists: neurons by name, and the inputs of a neuron."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ldam_studio.errors import StudioError
from ldam_studio.gui.picker.lists import Entry
from ldam_studio.networks.inspect.feeding import feeding

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.neurons import Neuron


def entries_of(network: Network, neurons: Sequence[Neuron]) -> list[Entry]:
    """Return an entry with name and address for each neuron; without a name, only the address."""
    entries = []
    for neuron in neurons:
        label, address = network.label(neuron), str(neuron)
        entries.append(Entry(neuron, label, address if label != address else ""))
    # All rows of a list must have the same height.
    if any(entry.detail for entry in entries):
        kinds = {layer.name: layer.kind for layer in network.layers}
        entries = [e if e.detail else _with(e, kinds[e.neuron.layer]) for e in entries]
    return entries


def _with(entry: Entry, detail: str) -> Entry:
    return Entry(entry.neuron, entry.title, detail)


def entries_feeding(network: Network, neuron: Neuron) -> tuple[list[Entry], str]:
    """Return the inputs of a neuron with the largest weights, as entries, and a heading.

    If they are unknown, there are no entries, and the text is the reason.
    """
    try:
        found = feeding(network, neuron)
    except StudioError as error:
        return [], str(error)
    largest = abs(found.feeds[0].weight) or 1.0
    entries = [
        Entry(
            neuron=feed.neuron,
            title=str(feed.neuron),
            detail="\u2192 " + ", ".join(_short(network, unit) for unit in feed.feeds),
            value=f"{feed.weight:+.3g}".replace("-", "\u2212"),
            share=feed.weight / largest,
        )
        for feed in found.feeds
    ]
    name = network.label(neuron)
    return entries, f"{len(entries)} largest of {found.inputs:,} weights into {name}"


def _short(network: Network, unit: Neuron) -> str:
    """Return the name of a class neuron; for other neurons, the address without its position."""
    label = network.label(unit)
    return label if label != str(unit) else str(replace(unit, place=None))
