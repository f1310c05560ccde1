"""How much memory a session's steps need: known before the operating system ends the program."""

from __future__ import annotations

import torch

from ldam_studio.memory import free_bytes, require
from ldam_studio.networks.anatomy.fields import Crop
from ldam_studio.networks.network import Network

FLOAT = 4  # bytes
COPIES = 8
"""Of the chains' pixels: themselves, noise, gradient, move, and what their averages hold."""


def check_memory(network: Network, layer: str, crop: Crop | None, chains: int) -> None:
    """See that chains on a layer fit into the memory of the network's device.

    Raises
    ------
    StudioError
        If not, with what they need.
    """
    needed = step_bytes(network, layer, crop, chains)
    free = free_bytes()
    if network.device.type == "cuda":
        free = torch.cuda.mem_get_info(network.device)[0]
    are = "1 chain needs" if chains == 1 else f"{chains} chains need"
    way_out = "take a smaller input" if chains == 1 else "take fewer chains"
    require(f"{are} in layer {layer} of {network.name}", needed, free, way_out)


def step_bytes(network: Network, layer: str, crop: Crop | None, chains: int) -> int:
    """Return about how much memory a step needs, or less: what its backward pass has to remember.

    The outputs of all modules up to `layer`, of which the part that is run counts where the chains
    are run on a `crop`, and the pixels. Measured, it is one to two times as much.
    """
    pixels = network.pixels
    whole = pixels.height * pixels.width
    share = 1.0
    if crop is not None:
        top, left, bottom, right = crop.box
        share = (bottom - top) * (right - left) / whole
    remembered = network.remembered(("values", layer), lambda: _values_before(network, layer))
    values = share * remembered + COPIES * pixels.channels * whole
    return round(chains * FLOAT * values)


def _values_before(network: Network, layer: str) -> int:
    """Return how many numbers the modules up to a layer put out for one image."""
    names = [known.name for known in network.layers]
    until = names.index(layer) + 1
    holders = {name.rpartition(".")[0] for name in names}
    # What holds others puts out what the last of them does.
    single = (known for known in network.layers[:until] if known.name not in holders)
    return sum(torch.Size(known.shape).numel() for known in single)
