"""Which of a network's layers has the classes, and their names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.labels import read_labels, wrong_number
from ldam_studio.networks.sources.options import FORMER


def name_classes(
    network: Network,
    given: Path | tuple[str, ...] | None,
    layer: str | None,
    known: tuple[str, ...] = (),
) -> None:
    """Choose the layer of a network's classes, and name its neurons, in place.

    Parameters
    ----------
    given, layer
        See `Options.labels` and `Options.class_layer`.
    known
        The names if none are given.

    Raises
    ------
    StudioError
        If there is no such layer, the file cannot be read, or has another number of names.
    """
    chosen = network.listing.outputs
    if layer is not None:
        chosen = (network.listing.former if layer == FORMER else layer,)
    layers = [network.layer(name) for name in chosen]
    network.provenance = replace(network.provenance, given_class_layer=layer or None)
    labels = known if given is None else given
    if isinstance(labels, Path):
        labels = read_labels(labels)
    for found in layers:
        if found.neurons == len(labels):
            network.choose_class_layer(found.name, labels)
            return
    if given is not None:
        where = str(given) if isinstance(given, Path) else "The list of labels"
        raise wrong_number(len(labels), where, layers, network.layers)
    network.choose_class_layer(layers[0].name)
