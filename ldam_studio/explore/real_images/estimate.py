"""How long indexing will take, tried on a few images."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ldam_studio.explore.real_images.indexing import alongside
from ldam_studio.explore.real_images.pictures import check_channels
from ldam_studio.explore.real_images.responses import Responder
from ldam_studio.explore.real_images.shards import check_size
from ldam_studio.explore.real_images.sources import Spec, source_of
from ldam_studio.networks.network import Network
from ldam_studio.training.pictures import NotAPictureError

TRIED = 2
READ = 3


@dataclass(frozen=True)
class Estimate:
    """What indexing would be: the images, of how many in all, and seconds on this thread alone."""

    images: int
    total: int
    seconds: float


def estimate(network: Network, spec: Spec, layers: Sequence[str], limit: int = 0) -> Estimate:
    """List the images, and time a few of them.

    Raises
    ------
    StudioError
        As `indexing.build` does before it looks at the first image.
    """
    check_channels(network.name, network.pixels)
    source = source_of(spec)
    listed = source.listed(limit)
    count = len(listed.names)
    check_size(network, layers, count)
    responder = Responder(alongside(network), layers)
    noise = torch.rand((TRIED, *network.pixels.shape), generator=torch.Generator().manual_seed(0))
    responder.of(noise[:1])  # the first pass also prepares the network
    began = time.perf_counter()
    responder.of(noise)
    each = (time.perf_counter() - began) / TRIED
    began = time.perf_counter()
    with source.reader() as read:
        for name in listed.names[:READ]:
            try:
                read(name).decode(network.pixels)
            except NotAPictureError:
                continue
    # Images are read on a thread of their own, which is waited for if it is the slower one.
    reading = (time.perf_counter() - began) / min(READ, count)
    return Estimate(count, listed.total, max(each, reading) * count)
