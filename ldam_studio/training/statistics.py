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
from ldam_studio.networks.statistics.measuring import measure
from ldam_studio.networks.statistics.statistics import PhotoStatistics
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
) -> PhotoStatistics:
    """Return a network's statistics of the photographs in a folder or zip.

    Parameters
    ----------
    count
        Number of photographs, evenly spaced among all by name.
    seed
        Of the random views in which they are seen.
    on_batch
        See `measure`.

    Raises
    ------
    StudioError
        If the photographs are missing or damaged, or the network cannot be compared.
    """
    if network.pixels.channels not in (1, 3):
        raise StudioError(
            f"{network.name} takes images of {network.pixels.channels} channels, but photographs "
            "have one or three."
        )
    photos = find_photos(place)
    images = _images(photos, count, network)
    digest = hashlib.sha256(images.numpy().tobytes()).hexdigest()
    source = f"{len(images)} photographs of {place.name}, SHA-256 {digest[:12]}, seed {seed}"
    return measure(network, images, source, seed, on_batch)


def _images(photos: Photos, count: int, network: Network) -> Tensor:
    """Read photographs at the network's size, (n, C, H, W) uint8."""
    pixels = network.pixels
    count = min(count, len(photos))
    with photos.reader() as read:
        numbers = [i * len(photos) // count for i in range(count)]
        found = [_centre(read(number), pixels.height, pixels.width) for number in numbers]
    if pixels.channels == 1:
        found = [picture.convert("L") for picture in found]
    arrays = [np.array(picture).reshape(pixels.height, pixels.width, -1) for picture in found]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()


def _centre(picture: Image.Image, height: int, width: int) -> Image.Image:
    """Cut out the centre, with the scale of ImageNet's usual validation images."""
    scale = min(picture.width / (width * MARGIN), picture.height / (height * MARGIN))
    across, down = scale * width / 2, scale * height / 2
    x, y = picture.width / 2, picture.height / 2
    box = (x - across, y - down, x + across, y + down)
    return picture.resize((width, height), Image.Resampling.BICUBIC, box)
