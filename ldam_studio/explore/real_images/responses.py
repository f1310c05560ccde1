"""How all units of some layers respond to images: in one pass, a few numbers of each channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.network import Network

VALUE = ("value",)
HIGH, HIGH_AT, LOW, LOW_AT, MEAN = PLACED = ("high", "high_at", "low", "low_at", "mean")
"""What is kept of each channel of a layer with places: its largest and smallest value and where
they are, by the position among its places, and its mean. Without places it is the value."""

BUDGET = 1_200_000  # numbers in a batch of images
MOST_BATCH = 256

Parts = dict[str, NDArray[np.generic]]
"""The entries of `VALUE` or `PLACED`, each (n, neurons)."""


def parts_of(layer: Layer) -> tuple[str, ...]:
    """Return the names of what is kept of a layer."""
    return PLACED if layer.places else VALUE


def type_of(part: str, places: int) -> np.dtype[np.generic]:
    """Return the type of numbers in which a part is kept."""
    if part not in (HIGH_AT, LOW_AT):
        return np.dtype(np.float32)
    return np.dtype(np.uint16 if places <= 2**16 else np.uint32)


def places_of(layer: Layer) -> int:
    """Return the number of places of a layer."""
    return math.prod(layer.places)


def bytes_for(layer: Layer) -> int:
    """Return how many bytes are kept of a layer for one image."""
    types = [type_of(part, places_of(layer)).itemsize for part in parts_of(layer)]
    return layer.neurons * sum(types)


def batch_of(network: Network) -> int:
    """Return how many images are shown to a network at a time."""
    return max(1, min(MOST_BATCH, BUDGET // math.prod(network.pixels.shape)))


@dataclass(frozen=True)
class Responder:
    """Shows images to a network, and keeps a few numbers of all units of its layers."""

    network: Network
    layers: Sequence[str]

    @torch.no_grad()
    def of(self, x: Tensor) -> dict[str, Parts]:
        """Return the parts of each layer for images x (n, C, H, W) in pixel units."""
        rows = iter(self.network.outputs(x.to(self.network.device), self.layers, summary))
        found: dict[str, Parts] = {}
        for name in self.layers:
            layer = self.network.layer(name)
            found[name] = {
                part: next(rows).cpu().numpy().astype(type_of(part, places_of(layer)))
                for part in parts_of(layer)
            }
        return found


def summary(layer: Layer, output: Tensor) -> list[Tensor]:
    """Return the parts of a layer for its output (n, *layer.shape), each (n, neurons)."""
    values = output.detach().float().movedim(layer.axis + 1, 1)
    if values.ndim == 2:
        return [values.clone()]
    values = values.flatten(2)
    low, high = values.min(2), values.max(2)
    return [high.values, high.indices, low.values, low.indices, values.mean(2)]
