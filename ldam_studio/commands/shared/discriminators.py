"""Opening the discriminator for a network's images."""

from __future__ import annotations

from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.networks.discriminators import (
    DiscriminatorModel,
    discriminator_for,
    open_discriminator,
)
from ldam_studio.networks.network import Network


def discriminator_of(network: Network, weights: Path | None, otherwise: str) -> DiscriminatorModel:
    """Open the discriminator for a network's images, with the shipped weights or with `weights`.

    Raises
    ------
    StudioError
        If there is none; the message ends in `otherwise`, which says what to do.
    """
    name = discriminator_for(network)
    if name is None:
        raise StudioError(f"There is no discriminator for {network.name}; {otherwise}.")
    return open_discriminator(name, weights)
