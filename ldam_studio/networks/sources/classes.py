"""Which of a network's layers has the classes, and their names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.labels import read_labels, wrong_number
from ldam_studio.networks.sources.options import FORMER


def name_classes(
    network: Network, path: Path | None, layer: str | None, known: tuple[str, ...] = ()
) -> None:
    """Choose the layer of a network's classes, and name its neurons, in place.

    Parameters
    ----------
    path, layer
        See `Options.labels` and `Options.class_layer`.
    known
        The names if there is no file.

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
    labels = known if path is None else read_labels(path)
    for found in layers:
        if found.neurons == len(labels):
            network.choose_class_layer(found.name, labels)
            return
    if path is not None:
        raise wrong_number(len(labels), path, layers, network.layers)
    network.choose_class_layer(layers[0].name)
