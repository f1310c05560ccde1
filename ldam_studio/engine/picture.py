"""Turning pixels in the network's units into pictures for display."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.resize import resized

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

DISPLAYS = ("signed", "image")
MID_GREY = 127.5
BELOW, ABOVE = np.array([24.0, 100.0, 232.0]), np.array([255.0, 120.0, 190.0])
"""The colours at the two ends of the scale of a grey difference."""
LEAST_SCALE = 1e-3  # the scale for a difference that is 0 everywhere
ALMOST = 1 + 1e-6  # allows for rounding: 0.2 in 32 bits is a little more than 0.2


def to_bytes(
    image: Floats, pixels: PixelSpec, display: str = "signed", scale: float | None = None
) -> Bytes:
    """Turn an image (C, H, W) into (H, W, 3) of 8 bits.

    One channel is shown in grey, two in red and cyan; of more than three, the channels in
    `pixels.picture` are shown.

    Parameters
    ----------
    display
        "signed": mid-grey is the rest colour, and values `scale` above or below it are white or
        black. "image": black and white are the ends of the valid range.
    scale
        For "signed", in pixel units; None for the image's largest distance from rest.
    """
    whole, image = image, _pictured(image, pixels)
    # A chain whose values are overflowing is still shown as well as possible.
    with np.errstate(over="ignore", invalid="ignore"):
        if display == "image":
            unit = (image - pixels.minimum) / (pixels.maximum - pixels.minimum)
            levels = unit * 255
        else:
            if scale is None:
                scale = own_scale(whole, pixels)
            levels = MID_GREY + MID_GREY * (image - pixels.rest) / scale
    levels = _numbers(levels, MID_GREY).clip(0, 255).round().astype(np.uint8)
    if len(levels) == 1:
        levels = np.repeat(levels, 3, axis=0)
    elif len(levels) == 2:
        levels = levels[[0, 1, 1]]
    return np.ascontiguousarray(levels.transpose(1, 2, 0))


def _pictured(image: Floats, pixels: PixelSpec) -> Floats:
    """Return those channels of an image (C, H, W) that are shown."""
    all_in_order = pixels.picture == tuple(range(len(image)))
    return image if all_in_order else image[list(pixels.picture)]


def own_scale(image: Floats, pixels: PixelSpec) -> float:
    """Return the scale of one signed image (C, H, W): its largest distance from rest."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.abs(_pictured(image, pixels) - pixels.rest).max()) or 1.0


def common_scale(images: Sequence[Floats], pixels: PixelSpec) -> float:
    """Return one scale for several signed images (C, H, W): their largest distance from rest."""
    with np.errstate(over="ignore", invalid="ignore"):
        distances = [float(np.abs(image - pixels.rest).max()) for image in images]
    finite = [distance for distance in distances if math.isfinite(distance)]
    return max(finite, default=0.0) or 1.0


def difference_scale(difference: Floats) -> float:
    """Return the largest size of a difference, rounded up to 1, 2 or 5 times a power of ten.

    It is rounded so that a displayed scale does not change with every sample.
    """
    with np.errstate(invalid="ignore"):
        largest = float(np.abs(difference).max())
    if not 1e-30 < largest < math.inf:
        return 1.0 if largest else LEAST_SCALE
    power = 10.0 ** math.floor(math.log10(largest))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power * ALMOST >= largest)


def difference_to_bytes(difference: Floats, pixels: PixelSpec, scale: float) -> Bytes:
    """Turn a difference of images (C, H, W) into (H, W, 3) of 8 bits; mid-grey is no difference.

    For grey images, `scale` above 0 is pink and `scale` below 0 is blue. For colour images, each
    channel is lighter or darker than mid-grey.
    """
    if len(pixels.picture) > 1:
        return to_bytes(difference + pixels.rest, pixels, "signed", scale)
    with np.errstate(over="ignore", invalid="ignore"):
        share = _numbers(difference[pixels.picture[0]] / scale, 0.0).clip(-1, 1)[..., None]
    end = np.where(share > 0, ABOVE, BELOW)
    colours: Bytes = (MID_GREY + np.abs(share) * (end - MID_GREY)).round().astype(np.uint8)
    return colours


def _numbers(values: Floats, instead: float) -> Floats:
    """Replace NaN by a number."""
    # Usually there is no NaN, and the minimum shows that: it is NaN if any value is.
    return np.where(np.isnan(values), instead, values) if np.isnan(values.min()) else values


def enlarge(picture: Bytes, zoom: int) -> Bytes:
    """Repeat every pixel of (H, W, 3) `zoom` times in both directions."""
    return picture.repeat(zoom, axis=0).repeat(zoom, axis=1)


def at_largest_size(rows: Sequence[Floats]) -> list[Floats]:
    """Return images (n, C, H, W) at the largest size among them; schedules change sizes."""
    size = max((row.shape[2], row.shape[3]) for row in rows)
    return [
        row if row.shape[2:] == size else resized(torch.from_numpy(np.array(row)), size).numpy()
        for row in rows
    ]


def grid_columns(count: int) -> int:
    """Return the columns of a grid of so many pictures: 10 for a multiple of ten.

    Otherwise it is the rounded-up square root of their number.
    """
    return min(count, 10 if count % 10 == 0 else math.ceil(math.sqrt(count)))


def grid(pictures: Sequence[Bytes], columns: int | None = None, gap: int = 1) -> Bytes:
    """Arrange pictures of one size (H, W, 3) in rows.

    `columns` is `grid_columns` by default.
    """
    if columns is None:
        columns = grid_columns(len(pictures))
    rows = -(-len(pictures) // columns)
    height, width, _ = pictures[0].shape
    sheet = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 64, dtype=np.uint8
    )
    for i, picture in enumerate(pictures):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet
