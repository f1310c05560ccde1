"""Real images of a built-in network's classes, to compare with the pictures of its neurons."""

from __future__ import annotations

from pathlib import Path

import torch

from ldam_studio.analysis.digits import within_class_cosine
from ldam_studio.analysis.modality import Groups, grouped
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.built_in import BUILT_IN, MNIST_PIXELS
from ldam_studio.training.cifar10 import load_cifar10
from ldam_studio.training.data import load_digits_sheet
from ldam_studio.training.images import LabelledImages

MOST = 500
"""Number of images of each class whose similarity is measured."""


def real_images(network: Network, data: Path | None = None) -> LabelledImages | None:
    """Return real images of a network's classes; None if there are none.

    They are the shipped digits for MNIST's networks, and the test images for CIFAR-10's networks if
    they are found. For other networks the program does not know the training data.

    Raises
    ------
    StudioError
        If `data` was given, and CIFAR-10 is missing there or damaged.
    """
    if network.name not in BUILT_IN:
        return None
    if BUILT_IN[network.name].pixels == MNIST_PIXELS:
        return load_digits_sheet()
    try:
        return load_cifar10(data, "test")
    except StudioError:
        if data is not None:
            raise
        return None


def likeness(network: Network, images: LabelledImages) -> float:
    """Return the mean cosine between two real images of a class, measured from the rest colour."""
    chosen = torch.cat([numbers[:MOST] for numbers in _by_class(images)])
    shapes = images.pixels(chosen) - network.pixels.rest
    return within_class_cosine(shapes, images.labels[chosen])


def real_groups(network: Network, images: LabelledImages, count: int, least: float) -> list[Groups]:
    """Group `count` real images of each class in the same way as a neuron's averages."""
    rest = network.pixels.rest
    return [grouped(images.pixels(numbers[:count]), rest, least) for numbers in _by_class(images)]


def _by_class(images: LabelledImages) -> list[torch.Tensor]:
    return [(images.labels == label).nonzero()[:, 0] for label in images.labels.unique()]
