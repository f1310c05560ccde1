"""The discriminator of a session, and the real images from which it learns."""

from __future__ import annotations

from pathlib import Path

import torch

from ldam_studio.engine.state import SessionState, snapshot
from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import DISCRIMINATORS, DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.training import learner
from ldam_studio.training.real_images import NONE, REAL_IMAGES, RealImages


def prepare_learner(state: SessionState) -> None:
    """Create the session's learner and load its real images, if it learns and they are missing.

    A learner stays in use when learning is switched off: the discriminator keeps what it has
    learned until it is reverted.

    Raises
    ------
    StudioError
        If the real images cannot be read.
    """
    learns = state.learn_every or state.discriminator_rounds
    if not learns or state.discriminator is None:
        return
    shape = state.lane.network.pixels.shape
    if state.real_images is None or state.real_images.shape[1:] != shape:
        state.real_images = _real_images(state, state.discriminator, shape).to(state.device.name)
    if state.learner is not None and any(seen.shape[1:] != shape for seen in state.learner.recent):
        # These images are from a network that took another size.
        state.learner.recent.clear()
    if state.learner is None:
        state.learner = learner.start(state.discriminator.module, state.seed, state.device.name)


def origin_of_real_images(network: Network, data: Path | None) -> str:
    """Return where the real images for a network's discriminator come from, in words.

    Nothing is read.
    """
    images = _kind_of_images(network)
    return NONE if images is None else images.origin(data)


def may_choose_real_images(network: Network, data: Path | None) -> bool:
    """Return whether there are none yet, although a network's discriminator could learn from some.

    Nothing is read.
    """
    images = _kind_of_images(network)
    return images is not None and images.origin(data).startswith(NONE)


def check_real_images(network: Network, data: Path) -> None:
    """Read the real images for a network's discriminator in a folder; it may take seconds.

    Raises
    ------
    StudioError
        If there are none, or they cannot be read.
    """
    images = _kind_of_images(network)
    if images is not None:
        images.load(data, network.pixels.shape, 0)


def learning_from(state: SessionState, data: Path) -> SessionState:
    """Return a copy of a session that learns from the real images in a folder.

    The session must not have learned yet. Nothing that it did depends on such images then, so that
    it is as if it had been opened with them, and replays so.

    Raises
    ------
    StudioError
        If its discriminator has learned.
    """
    if state.learner is not None:
        raise StudioError(
            "The discriminator of this session has learned already; open the network again to let "
            "it learn from other images."
        )
    copy = snapshot(state)
    copy.data, copy.real_images = data, None
    if "data" in copy.origin:
        copy.origin = {**copy.origin, "data": str(data)}
    return copy


def _kind_of_images(network: Network) -> RealImages | None:
    rows = (row for row in DISCRIMINATORS.values() if row.takes.include(network.pixels))
    row = next(rows, None)
    return None if row is None else REAL_IMAGES[row.real_images]


def _real_images(
    state: SessionState, model: DiscriminatorModel, shape: tuple[int, int, int]
) -> torch.Tensor:
    """Return real images to learn from, ``(n, C, H, W)`` uint8."""
    return REAL_IMAGES[DISCRIMINATORS[model.name].real_images].load(state.data, shape, state.seed)
