"""A figure as the paper prints them: pictures in rows and columns, with words at the edges."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ldam_studio.engine.picture import enlarge

Bytes = NDArray[np.uint8]

ZOOM, GAP, MARGIN, TYPE_SIZE = 3, 4, 8, 18


def sheet(
    pictures: Sequence[Sequence[Bytes]], row_labels: Sequence[str], column_labels: Sequence[str]
) -> bytes:
    """Return a PNG of ``pictures``, rows of ``(H, W, 3)`` of one size, three times as large.

    Parameters
    ----------
    row_labels, column_labels
        One word or more for each row, at its left, and for each column, above it.
    """
    font = ImageFont.load_default(TYPE_SIZE)
    left = 2 * MARGIN + int(max(font.getlength(label) for label in row_labels))
    top = 2 * MARGIN + TYPE_SIZE
    height, width = (ZOOM * side + GAP for side in pictures[0][0].shape[:2])
    size = (left + width * len(column_labels) + MARGIN, top + height * len(row_labels) + MARGIN)
    page = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(page)
    for column, label in enumerate(column_labels):
        centre = left + width * column + (width - GAP) // 2
        pen.text((centre, top - MARGIN // 2), label, "black", font, anchor="ms")
    for row, (label, line) in enumerate(zip(row_labels, pictures, strict=True)):
        middle = top + height * row + (height - GAP) // 2
        pen.text((left - MARGIN, middle), label, "black", font, anchor="rm")
        for column, picture in enumerate(line):
            place = (left + width * column, top + height * row)
            page.paste(Image.fromarray(enlarge(picture, ZOOM)), place)
    content = io.BytesIO()
    page.save(content, "PNG", optimize=True)
    return content.getvalue()
