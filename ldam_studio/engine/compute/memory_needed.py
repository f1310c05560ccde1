"""How much memory a session's steps need, so that a session that cannot fit is refused in time."""

from __future__ import annotations

import torch

from ldam_studio.memory import free_bytes, give_back, require
from ldam_studio.networks.anatomy.crops import Crop
from ldam_studio.networks.network import Network
from ldam_studio.networks.plan import PLAIN, Plan

FLOAT = 4  # bytes
COPIES = 8
"""Copies of the chains' pixels: the pixels, noise, gradient, move, and the averages."""


def check_memory(
    network: Network, layer: str, crop: Crop | None, chains: int, plan: Plan = PLAIN
) -> None:
    """Check that the chains fit into the memory of the network's device, with the plan's copy.

    Raises
    ------
    StudioError
        If they do not; the message says how much memory they need.
    """
    needed = step_bytes(network, layer, crop, chains)
    if not network.is_prepared_for(plan, layer):
        needed += copy_bytes(network, plan)
    free = free_bytes()
    if needed > free:
        give_back()  # what this process has kept from earlier steps
        free = free_bytes()
    if network.device.type == "cuda":
        free = torch.cuda.mem_get_info(network.device)[0]
    are = "1 chain needs" if chains == 1 else f"{chains} chains need"
    way_out = "take a smaller input" if chains == 1 else "take fewer chains"
    require(f"{are} in layer {layer} of {network.name}", needed, free, way_out)


def step_bytes(network: Network, layer: str, crop: Crop | None, chains: int) -> int:
    """Return a lower estimate of the memory that a step needs, in bytes.

    It counts the pixels and what the backward pass stores: the outputs of all modules up to
    `layer`, or the share of them that the `crop` covers. Measured use is one to two times as much.
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


def copy_bytes(network: Network, plan: Plan) -> int:
    """Return the bytes that the network's copy for a plan needs.

    Weights in float32 count as if none of them were shared with the network.
    """
    if not plan.copies:
        return 0
    size = plan.dtype.itemsize
    return size * sum(weights.numel() for weights in network.module.parameters())


def _values_before(network: Network, layer: str) -> int:
    """Return how many numbers the modules up to a layer compute for one image."""
    names = [known.name for known in network.layers]
    until = names.index(layer) + 1
    holders = {name.rpartition(".")[0] for name in names}
    # A container's output is that of its last module, which is counted already.
    single = (known for known in network.layers[:until] if known.name not in holders)
    return sum(torch.Size(known.shape).numel() for known in single)
