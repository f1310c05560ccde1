"""The discriminator within a session: which one fits, and where its lessons come from."""

from __future__ import annotations

from ldam_studio.engine.state import SessionState
from ldam_studio.networks.network import Network
from ldam_studio.networks.zoo import DiscriminatorModel
from ldam_studio.training import learner
from ldam_studio.training.data import load_digits_sheet, load_mnist


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
    if not state.learn_every or state.discriminator is None:
        return
    if state.real_images is None:
        digits = load_digits_sheet() if state.data is None else load_mnist(state.data, "train")
        state.real_images = digits.images.to(state.machine.device)
    if state.learner is None:
        state.learner = learner.start(state.discriminator.module, state.seed, state.machine.device)
