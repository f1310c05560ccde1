"""Sheets as in the paper: pictures in rows and columns, with labels at the edges."""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ldam_studio.engine.picture import enlarge

Bytes = NDArray[np.uint8]
Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

ZOOM, GAP, MARGIN, TYPE_SIZE = 3, 4, 8, 18
CAPTION_SIZE = 13


def sheet(
    pictures: Sequence[Sequence[Bytes]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    zoom: int = ZOOM,
) -> bytes:
    """Return a PNG of ``pictures``, rows of ``(H, W, 3)``, enlarged by ``zoom``.

    A picture that is smaller than the largest one is centred in its cell.

    Parameters
    ----------
    row_labels, column_labels
        Labels to the left of each row and above each column; a label that is too long for its
        column is cut.
    """
    font = ImageFont.load_default(TYPE_SIZE)
    left = 2 * MARGIN + int(max(font.getlength(label) for label in row_labels))
    top = 2 * MARGIN + TYPE_SIZE
    height, width = (
        zoom * max(picture.shape[side] for line in pictures for picture in line) + GAP
        for side in (0, 1)
    )
    size = (left + width * len(column_labels) + MARGIN, top + height * len(row_labels) + MARGIN)
    page = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(page)
    for column, label in enumerate(column_labels):
        centre = left + width * column + (width - GAP) // 2
        text = fitted(label, font, width - GAP)
        pen.text((centre, top - MARGIN // 2), text, "black", font, anchor="ms")
    for row, (label, line) in enumerate(zip(row_labels, pictures, strict=True)):
        middle = top + height * row + (height - GAP) // 2
        pen.text((left - MARGIN, middle), label, "black", font, anchor="rm")
        for column, picture in enumerate(line):
            down, right = (
                (space - GAP - zoom * side) // 2
                for space, side in zip((height, width), picture.shape[:2], strict=True)
            )
            place = (left + width * column + right, top + height * row + down)
            page.paste(Image.fromarray(enlarge(picture, zoom)), place)
    return _png(page)


def tiles(
    title: str, groups: Sequence[Sequence[Bytes]], captions: Sequence[str], zoom: int
) -> bytes:
    """Return a PNG of `tiled` pictures."""
    return _png(tiled(title, groups, captions, zoom))


def tiled(
    title: str, groups: Sequence[Sequence[Bytes]], captions: Sequence[str], zoom: int
) -> Image.Image:
    """Return a page of small pictures ``(H, W, 3)`` of one size, in groups with a caption below.

    The pictures of a group are side by side; the groups fill a page that is about square.
    """
    font = ImageFont.load_default(CAPTION_SIZE)
    high, wide = (zoom * side for side in groups[0][0].shape[:2])
    inner = len(groups[0]) * (wide + GAP // 2) - GAP // 2
    width = max(inner, int(max(font.getlength(caption) for caption in captions))) + 2 * MARGIN
    height = high + CAPTION_SIZE + 2 * MARGIN
    columns = min(len(groups), ceil(sqrt(len(groups) * height / width)))
    top = 2 * MARGIN + TYPE_SIZE
    title_font = ImageFont.load_default(TYPE_SIZE)
    across = max(columns * width, int(title_font.getlength(title)) + MARGIN)
    page = Image.new(
        "RGB", (across + MARGIN, top + ceil(len(groups) / columns) * height + MARGIN), "white"
    )
    pen = ImageDraw.Draw(page)
    pen.text((MARGIN, MARGIN), title, "black", title_font)
    for number, (group, caption) in enumerate(zip(groups, captions, strict=True)):
        x, y = MARGIN + number % columns * width, top + number // columns * height
        for place, picture in enumerate(group):
            corner = (x + place * (wide + GAP // 2), y)
            page.paste(Image.fromarray(enlarge(picture, zoom)), corner)
        pen.text((x + inner // 2, y + high + MARGIN // 2), caption, "black", font, anchor="mt")
    return page


def fitted(text: str, font: Font, width: int) -> str:
    """Return `text`, cut to at most `width` pixels."""
    if font.getlength(text) <= width:
        return text
    cuts = range(1, len(text) + 1)  # found by halving, since texts may be very long
    fits = bisect_left(cuts, True, key=lambda cut: font.getlength(f"{text[:cut]}...") > width)
    return f"{text[:fits].rstrip()}..."


def _png(page: Image.Image) -> bytes:
    content = io.BytesIO()
    page.save(content, "PNG", optimize=True)
    return content.getvalue()
