"""The discriminator within a session: which one fits, and where its lessons come from."""

from __future__ import annotations

from pathlib import Path

import torch

from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import (
    CIFAR_DISCRIMINATOR,
    MNIST_PIXELS,
    DiscriminatorModel,
)
from ldam_studio.training import learner
from ldam_studio.training.cifar10 import find_cifar10, load_cifar10
from ldam_studio.training.data import load_digits_sheet, load_mnist
from ldam_studio.training.photos import draw_crops, find_photos

CROPS = 256
"""Crops of photographs that a learning discriminator draws its real images from."""


def suits(model: DiscriminatorModel, network: Network) -> bool:
    """Whether a discriminator takes the images that a network takes."""
    return model.takes(network.pixels)


def prepare_learner(state: SessionState) -> None:
    """Make a learner where one is asked for and there is none; load real images for it.

    A learner that has learned stays in use when learning is switched off: the discriminator is then
    as it has become, until it is reverted.

    Raises
    ------
    StudioError
        If there is no discriminator, or the real images cannot be read.
    """
    learns = state.learn_every or state.discriminator_rounds
    if not learns or state.discriminator is None:
        return
    shape = state.lane.network.pixels.shape
    if state.real_images is None or state.real_images.shape[1:] != shape:
        state.real_images = _real_images(state, shape).to(state.device.name)
    if state.learner is not None and any(seen.shape[1:] != shape for seen in state.learner.recent):
        # Of a network that took images of another size.
        state.learner.recent.clear()
    if state.learner is None:
        state.learner = learner.start(state.discriminator.module, state.seed, state.device.name)


def place_of_cifar10() -> Path | None:
    """Return the folder that CIFAR-10 is read from where none is named; nothing is read yet."""
    found = find_cifar10()
    return None if found is None else found.parent


def _real_images(state: SessionState, shape: tuple[int, int, int]) -> torch.Tensor:
    """Return real images to learn from, ``(n, C, H, W)`` uint8."""
    if shape == MNIST_PIXELS.shape:
        digits = load_digits_sheet() if state.data is None else load_mnist(state.data, "train")
        return digits.images
    if state.discriminator is not None and state.discriminator.name == CIFAR_DISCRIMINATOR:
        return load_cifar10(state.data, "train").images
    if state.data is None:
        raise StudioError(
            "The discriminator of natural images learns from photographs, and none are shipped; "
            "start with --data FOLDER or --data FILE.zip to name some."
        )
    draw = torch.Generator().manual_seed(state.seed)
    return draw_crops([find_photos(state.data)], CROPS, shape[1:], draw)
