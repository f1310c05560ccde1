"""From pixels in the network's units to pictures for a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ldam_studio.networks.network import PixelSpec

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

DISPLAYS = ("signed", "image")
MID_GREY = 127.5


def to_bytes(
    image: Floats, pixels: PixelSpec, display: str = "signed", scale: float | None = None
) -> Bytes:
    """Turn an image (C, H, W) into (H, W, 3) of 8 bits.

    One channel is grey, two are red and cyan; of more than three those that `pixels` says.

    Parameters
    ----------
    display
        "signed": mid-grey is the rest colour, and `scale` above or below it is white or black.
        "image": black and white are the ends of the valid range.
    scale
        For "signed", in pixel units; None takes the image's largest distance from rest.
    """
    if pixels.picture != tuple(range(len(image))):
        image = image[list(pixels.picture)]
    # A chain on its way out of the finite numbers is shown as well as it can be.
    with np.errstate(over="ignore", invalid="ignore"):
        if display == "image":
            unit = (image - pixels.minimum) / (pixels.maximum - pixels.minimum)
            levels = unit * 255
        else:
            distance = image - pixels.rest
            if scale is None:
                scale = float(np.abs(distance).max()) or 1.0
            levels = MID_GREY + MID_GREY * distance / scale
    levels = np.nan_to_num(levels, nan=MID_GREY).clip(0, 255).round().astype(np.uint8)
    if len(levels) == 1:
        levels = np.repeat(levels, 3, axis=0)
    elif len(levels) == 2:
        levels = levels[[0, 1, 1]]
    return np.ascontiguousarray(levels.transpose(1, 2, 0))


def enlarge(picture: Bytes, zoom: int) -> Bytes:
    """Repeat every pixel of (H, W, 3) `zoom` times in both directions."""
    return picture.repeat(zoom, axis=0).repeat(zoom, axis=1)


def grid(pictures: Sequence[Bytes], columns: int | None = None, gap: int = 1) -> Bytes:
    """Lay pictures of one size (H, W, 3) out in rows; `columns` is the square root if None."""
    if columns is None:
        columns = max(
            1,
            min(
                len(pictures),
                10 if len(pictures) % 10 == 0 else int(np.ceil(np.sqrt(len(pictures)))),
            ),
        )
    rows = -(-len(pictures) // columns)
    height, width, _ = pictures[0].shape
    sheet = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 64, dtype=np.uint8
    )
    for i, picture in enumerate(pictures):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet
