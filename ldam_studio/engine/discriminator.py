"""The discriminator of a session, and the real images from which it learns."""

from __future__ import annotations

from pathlib import Path

import torch

from ldam_studio.engine.state import SessionState
from ldam_studio.networks.discriminators import DISCRIMINATORS, DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.training import learner
from ldam_studio.training.real_images import REAL_IMAGES


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
    for row in DISCRIMINATORS.values():
        if row.takes.include(network.pixels):
            return REAL_IMAGES[row.real_images].origin(data)
    return "none"


def _real_images(
    state: SessionState, model: DiscriminatorModel, shape: tuple[int, int, int]
) -> torch.Tensor:
    """Return real images to learn from, ``(n, C, H, W)`` uint8."""
    return REAL_IMAGES[DISCRIMINATORS[model.name].real_images].load(state.data, shape, state.seed)
