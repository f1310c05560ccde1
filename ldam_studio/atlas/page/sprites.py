"""Sprite sheets: many small pictures in one file, which a browser loads at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image

from ldam_studio.engine.picture import Bytes, enlarge

COLUMNS = 8
QUALITY = 85
"""Of what is not kept without loss, from 0 to 100."""
LONGEST = 16_383
"""Largest side of a WebP picture, in pixels."""
Kind = Literal["jpg", "webp"]
"""The format of a sheet, and the suffix of its file."""


@dataclass(frozen=True)
class Sprites:
    """A sprite sheet as a file.

    Attributes
    ----------
    kind
        WebP without loss for pictures of few pixels, which were enlarged, and WebP for those that
        leave gaps. All others are JPEG, which is written in a tenth of the time, and read by a
        browser in a third.
    width, height
        Pixels of a cell, in the middle of which a smaller picture stands.
    zoom
        How many times the pictures were enlarged; the sheet has them as they were before.
    """

    data: bytes
    kind: Kind
    width: int
    height: int
    zoom: int


def sprites_of(pictures: Sequence[Bytes], columns: int = COLUMNS) -> Sprites:
    """Join pictures (H, W, 3) into a sheet, row by row.

    Raises
    ------
    ValueError
        If the sheet would be larger than a WebP picture can be.
    """
    zoom = common_zoom(pictures)
    small = [picture[::zoom, ::zoom] for picture in pictures]
    height, width = (max(picture.shape[side] for picture in small) for side in (0, 1))
    rows = -(-len(small) // columns)
    if rows * height > LONGEST or columns * width > LONGEST:
        raise ValueError("too many pixels for a sheet")
    alike = all(picture.shape[:2] == (height, width) for picture in small)
    sheet = np.zeros((rows * height, min(columns, len(small)) * width, 3 if alike else 4), np.uint8)
    for number, picture in enumerate(small):
        top = number // columns * height + (height - picture.shape[0]) // 2
        left = number % columns * width + (width - picture.shape[1]) // 2
        place = sheet[top : top + picture.shape[0], left : left + picture.shape[1]]
        place[..., :3] = picture
        place[..., 3:] = 255
    file, image = BytesIO(), Image.fromarray(sheet)
    if alike and zoom == 1:
        image.save(file, "JPEG", quality=QUALITY)
        return Sprites(file.getvalue(), "jpg", width, height, zoom)
    how = {"lossless": True, "quality": 50} if zoom > 1 else {"quality": QUALITY}
    image.save(file, "WEBP", method=2, **how)
    return Sprites(file.getvalue(), "webp", width, height, zoom)


def common_zoom(pictures: Sequence[Bytes]) -> int:
    """Return the largest number of times by which all pictures (H, W, 3) were enlarged."""
    largest = math.gcd(*(side for picture in pictures for side in picture.shape[:2]))
    zooms = (zoom for zoom in range(largest, 1, -1) if largest % zoom == 0)
    return next((zoom for zoom in zooms if all(_is_enlarged(p, zoom) for p in pictures)), 1)


def _is_enlarged(picture: Bytes, zoom: int) -> bool:
    # Most pictures differ already in their first two rows.
    if not np.array_equal(picture[0], picture[1]):
        return False
    return np.array_equal(picture, enlarge(picture[::zoom, ::zoom], zoom))
