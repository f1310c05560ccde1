"""What a person's own code gives, and what the program asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ldam_studio.errors import StudioError, in_short

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network


def check_batches(network: Network) -> None:
    """See that a network takes two images at once, as chains are run.

    Raises
    ------
    StudioError
        If it does not.
    """
    last = network.layers[-1]
    images = torch.full((2, *network.pixels.shape), network.pixels.rest, device=network.device)
    found = ""
    try:
        with torch.no_grad():
            shape = tuple(network.output(images, last.name).shape)
        if shape != (2, *last.shape):
            found = f"for two, layer {last.name} gives {' x '.join(map(str, shape))}"
    except Exception as error:
        found = in_short(error)
    if found:
        raise StudioError(
            f"{network.name} takes one image at a time ({found}); its forward pass must take "
            "several at once, (n, channels, height, width), and give (n, ...)."
        )
