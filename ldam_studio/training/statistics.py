"""Photographs from which a network's photo statistics are measured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.statistics.finding import measured_before
from ldam_studio.networks.statistics.measuring import BATCH, CHANNELS, SHARES, measure
from ldam_studio.networks.statistics.statistics import PhotoStatistics, key_of
from ldam_studio.training.photos import Photos, find_photos

COUNT = 320
MARGIN = 256 / 224
"""By how much larger than the network's image a photograph's shorter side is before its centre is
cut out."""


def measure_photos(
    network: Network,
    place: Path,
    count: int = COUNT,
    seed: int = 0,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
    *,
    again: bool = True,
) -> PhotoStatistics:
    """Return a network's statistics of the photographs in a folder or zip.

    Parameters
    ----------
    count
        Number of photographs, evenly spaced among all by name.
    seed
        Of the random views in which they are seen.
    on_batch
        See `measure`; reading the photographs counts, too.
    again
        Whether to measure also what has been measured on this computer before.

    Raises
    ------
    StudioError
        If the photographs are missing or damaged, or the network cannot be compared.
    """
    if network.pixels.channels not in CHANNELS:
        raise StudioError(
            f"{network.name} takes images of {network.pixels.channels} channels, but photographs "
            "have one or three."
        )
    photos = find_photos(place)
    batches = -(-min(count, len(photos)) // BATCH)
    total = batches * (1 + len(SHARES))
    images = _images(photos, count, network, lambda done: on_batch(done, total))
    digest = hashlib.sha256(images.numpy().tobytes()).hexdigest()
    source = f"{len(images)} photographs of {place.name}, SHA-256 {digest[:12]}, seed {seed}"
    known = None if again else measured_before(key_of(network.module), source)
    if known is not None:
        return known
    return measure(network, images, source, seed, lambda done, _: on_batch(batches + done, total))


def _images(
    photos: Photos, count: int, network: Network, on_batch: Callable[[int], None]
) -> Tensor:
    """Read photographs at the network's size, (n, C, H, W) uint8."""
    pixels = network.pixels
    count = min(count, len(photos))
    found = []
    with photos.reader() as read:
        for number in range(count):
            if number % BATCH == 0:
                on_batch(number // BATCH)
            picture = read(number * len(photos) // count)
            found.append(centre_of(picture, pixels.height, pixels.width))
    if pixels.channels == 1:
        found = [picture.convert("L") for picture in found]
    arrays = [np.array(picture).reshape(pixels.height, pixels.width, -1) for picture in found]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()


def centre_of(picture: Image.Image, height: int, width: int) -> Image.Image:
    """Cut out the centre, with the scale of ImageNet's usual validation images."""
    scale = min(picture.width / (width * MARGIN), picture.height / (height * MARGIN))
    across, down = scale * width / 2, scale * height / 2
    x, y = picture.width / 2, picture.height / 2
    box = (x - across, y - down, x + across, y + down)
    return picture.resize((width, height), Image.Resampling.BICUBIC, box)
