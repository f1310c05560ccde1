"""Folders of pictures, and a small network that looks at them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec

SIDE = 16


def small_network(seed: int = 0) -> Network:
    """Return a network of two convolutions, a hidden layer and three classes."""
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 6, 3, stride=2),
        nn.Flatten(),
        nn.Linear(6 * 7 * 7, 8),
        nn.ReLU(),
        nn.Linear(8, 3),
    )
    pixels = PixelSpec(3, SIDE, SIDE, (0.5,) * 3, (0.25,) * 3, rest=0.5)
    return Network("small", module.eval(), pixels)


def scene(seed: int, width: int = 40, height: int = 30) -> Image.Image:
    """Return a picture of soft patches of colour, another one for each seed."""
    drawn = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(drawn).resize((width, height), Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Return the bytes of a picture's file."""
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def folder_of(place: Path, count: int, first: int = 0) -> Path:
    """Fill a folder, and one inside it, with pictures."""
    (place / "more").mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        below = place / "more" if number % 3 == 0 else place
        (below / f"{number:03d}.png").write_bytes(encoded(scene(number)))
    return place
