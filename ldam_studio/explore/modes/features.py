"""What averages are compared by: the edges in their pixels, or the network's own features."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from ldam_studio.networks.anatomy.fields import Box
from ldam_studio.networks.network import Network
from ldam_studio.networks.plan import PLAIN, Plan

Kind = Literal["pixels", "features"]

SIDE = 12
"""Longest side of the reduced images whose pixels are compared."""

LEAST: dict[Kind, float] = {"pixels": 0.55, "features": 0.8}
"""Mean cosine from which on two groups of averages are one mode.

It lies in the middle between what is alike and what is not, on known images that played no part in
any session. By pixels, 95 of 100 digits that are moved by a pixel have more than 0.70 in common
with themselves, and 95 of 100 pairs of digits of different classes less than 0.41 (`make bench
ARGS=modes`). By features, it lies between photographs that are moved or mirrored and different
photographs, as SqueezeNet's penultimate layer sees them.
"""

CHANNELS = 1024
"""Most channels of a layer that are compared; of more, the first ones are."""


def edges(pictures: Tensor, field: Box | None = None) -> Tensor:
    """Return directions of length 1 that tell pictures apart by where they get brighter and darker.

    They are the differences of neighbours in the pictures inside the receptive field, reduced to at
    most `SIDE` x `SIDE` squares. Neighbours are alike in all images, their differences are not.
    What is not finite, or has no edges, has the direction 0.

    Parameters
    ----------
    pictures
        Shape (n, C, H, W), in pixel units.
    field
        The receptive field (top, left, bottom, right); None for the whole image.

    Returns
    -------
    Tensor
        Shape (n, values), float32, with fewer than 2 C SIDE^2 values.
    """
    if field is not None:
        top, left, bottom, right = field
        pictures = pictures[..., top:bottom, left:right]
    height, width = pictures.shape[2:]
    rows, columns = (
        max(1, min(side, round(SIDE * side / max(height, width)))) for side in (height, width)
    )
    small = functional.adaptive_avg_pool2d(pictures.float(), (rows, columns))
    across, down = small.diff(dim=3), small.diff(dim=2)
    return _directions(torch.cat([across.flatten(1), down.flatten(1)], dim=1))


@torch.no_grad()
def features(network: Network, layer: str, pictures: Tensor, plan: Plan = PLAIN) -> Tensor:
    """Return directions of length 1 that tell pictures apart by what the network makes of them.

    They are the outputs of a layer, as means over all places, so that a picture that is moved has
    the same direction. What is not finite has the direction 0.

    Parameters
    ----------
    layer
        Name of the layer, see `compared_layer`.
    pictures
        Shape (n, C, H, W), in pixel units.

    Returns
    -------
    Tensor
        Shape (n, channels), float32, with at most `CHANNELS` channels.
    """
    output = network.output(pictures, layer, plan).float()
    if output.dim() > 2:
        output = output.movedim(network.layer(layer).axis + 1, 1).flatten(2).mean(2)
    return _directions(output[:, :CHANNELS])


def _directions(vectors: Tensor) -> Tensor:
    vectors = torch.where(vectors.isfinite().all(1, keepdim=True), vectors, 0.0)
    length = vectors.norm(dim=1, keepdim=True)
    return torch.where(length > 1e-5, vectors / length.clamp_min(1e-30), 0.0)


def compared_layer(network: Network) -> str | None:
    """Return the penultimate layer: the last one before the classes that is not about them.

    None if there is no such layer with several channels, or if it reads images one by one.
    """
    classes = network.class_layer
    before = network.layers[: [layer.name for layer in network.layers].index(classes.name)]
    for layer in reversed(before):
        if layer.neurons > 1 and layer.neurons != classes.neurons:
            return None if layer.alone else layer.name
    return None
