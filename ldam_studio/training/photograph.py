"""One photograph, from a file of a common format, as an image that a network takes.

The largest part in the middle with the network's proportions is resized to its images. A photograph
is turned as its camera noted (EXIF), and what is transparent gets the network's rest colour. For
networks of one channel it becomes grey, and is inverted if its border is light: such networks
learned from light strokes on dark, and people write the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes
from ldam_studio.networks.pixels import LEVELS, PixelSpec, of_levels
from ldam_studio.training.pictures import (
    ENDINGS,
    MOST_BYTES,
    NOT_A_PICTURE,
    TOO_LARGE,
    NotAPictureError,
    decoded,
)

ALSO = ("GIF",)
"""Formats that are read here beside `FORMATS`; of animated ones the first picture counts."""
SUFFIXES = (*ENDINGS, ".gif")
LIGHT = 0.5
"""Mean brightness of its border, from 0 to 1, above which a grey photograph is inverted."""


@dataclass(frozen=True)
class Photograph:
    """An image (C, H, W) in pixel units, on 256 levels between black and white.

    `inverted` tells whether black and white were exchanged.
    """

    pixels: Tensor
    inverted: bool


def read_photograph(path: Path, pixels: PixelSpec, inverted: bool | None = None) -> Photograph:
    """Read a photograph for the images of a network.

    Parameters
    ----------
    inverted
        Whether black and white are exchanged; None to decide by the border.

    Raises
    ------
    StudioError
        If the file is missing, is no picture or too large, or the network takes images of two, or
        more than three, channels.
    """
    if pixels.channels not in (1, 3):
        raise StudioError(
            f"{path.name} has three colours, but the network takes images of {pixels.channels} "
            "channels; open a network for grey or colour images."
        )
    picture = _opened(path, round(_grey(pixels.rest, pixels) * LEVELS))
    picture = _fitted(picture, (pixels.height, pixels.width))
    levels = torch.from_numpy(np.array(picture.convert("L" if pixels.channels == 1 else "RGB")))
    if pixels.channels == 1:
        levels = levels[None]
        if inverted is None:
            inverted = bool(_border(levels[0]).float().mean() > LIGHT * LEVELS)
        if inverted:
            levels = LEVELS - levels
    else:
        inverted, levels = False, levels.permute(2, 0, 1)
        ordered = torch.empty_like(levels)
        ordered[list(pixels.picture)] = levels[: len(pixels.picture)]
        levels = ordered if len(set(pixels.picture)) == 3 else levels
    image = of_levels(levels, pixels.bounds)
    return Photograph(image.contiguous(), inverted)


def _grey(value: float, pixels: PixelSpec) -> float:
    low, high = pixels.bounds
    return (value - low) / (high - low)


def _opened(path: Path, rest: int) -> Image.Image:
    """Return a picture as RGB on the rest colour, upright."""
    data = read_bytes(path, MOST_BYTES)
    try:
        return decoded(data, paper=rest, also=ALSO).picture
    except NotAPictureError as error:
        if str(error) == TOO_LARGE:
            text = f"{path} is too large to be read; make it smaller."
        elif str(error) == NOT_A_PICTURE:
            text = (
                f"{path} is no picture of a common format; open it in another program and save it "
                "as PNG."
            )
        else:
            text = (
                f"{path} cannot be read as a picture ({error}); open it in another program and "
                "save it as PNG."
            )
        raise StudioError(text) from None


def _fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Cut out the middle in the proportions of `size` (height, width), and resize it."""
    height, width = size
    scale = min(picture.height / height, picture.width / width)
    left, top = (picture.width - scale * width) / 2, (picture.height - scale * height) / 2
    box = (left, top, left + scale * width, top + scale * height)
    return picture.resize((width, height), Image.Resampling.BICUBIC, box)


def _border(levels: Tensor) -> Tensor:
    """Return the outermost pixels of (H, W)."""
    return torch.cat([levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1]])
