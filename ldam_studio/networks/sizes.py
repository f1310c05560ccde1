"""Networks on images of another size than the one that they were opened for."""

from __future__ import annotations

from dataclasses import replace

import torch

from ldam_studio.errors import StudioError
from ldam_studio.memory import TooLittleMemory, free_bytes, require
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.anatomy.listing import Layers
from ldam_studio.networks.forward import Forward
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec

MULTIPLE = 32
"""Sides that are a multiple of this suit nearly all networks that take images of several sizes."""

FLOAT, PASSES = 4, 2
"""Bytes of a number, and images that the layers are listed with."""

MOST_SHARE = 0.5
"""Share of the free memory that it may take to find out what a network does with other images."""

MOST_SIDES = 32
"""Sizes of which the layers of a network are kept; a dragged slider goes through hundreds."""


def listing_at(network: Forward, pixels: PixelSpec) -> Layers | None:
    """Return the layers of a network on other images; None if it cannot take them.

    A network with fully connected layers after its places, or with an embedding for each place,
    takes one size only. The layers must have the same neurons as before.

    Raises
    ------
    TooLittleMemory
        If there is too little memory to find out.
    """
    try:
        listing = network.list_layers(pixels, network.layers)
    except TooLittleMemory:
        raise
    except StudioError:
        return None
    same = [_neurons(layer) for layer in listing.all] == [_neurons(la) for la in network.layers]
    return listing if same else None


def check_room(network: Forward, pixels: PixelSpec) -> None:
    """Raise `TooLittleMemory` if looking at other images would take most of the free memory.

    It is estimated from the outputs of the layers, which grow with the images.
    """
    here = network.pixels
    values = sum(torch.Size(layer.shape).numel() for layer in network.layers)
    larger = pixels.height * pixels.width / (here.height * here.width)
    require(
        f"{network.name} on images of {pixels.height} x {pixels.width} pixels needs",
        PASSES * FLOAT * values * larger,
        MOST_SHARE * free_bytes(),
        "choose a smaller resolution",
    )


def _neurons(layer: Layer) -> tuple[object, ...]:
    return layer.name, layer.neurons, layer.axis, layer.batch, len(layer.places)


def moved(neuron: Neuron, there: Layer, here: Layer) -> Neuron:
    """Return a neuron with an explicit place moved from a layer to the same layer's other size."""
    if not isinstance(neuron.place, tuple):
        return neuron
    sizes = zip(neuron.place, there.places, here.places, strict=True)
    return replace(neuron, place=tuple((2 * at + 1) * new // (2 * old) for at, old, new in sizes))
