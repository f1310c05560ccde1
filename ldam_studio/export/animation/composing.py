"""Composes the frames of an animation: images of several sessions, enlarged and side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ldam_studio.engine.picture import (
    Bytes,
    Floats,
    common_scale,
    grid,
    to_bytes,
)
from ldam_studio.errors import plain
from ldam_studio.export.animation.animation import MOST_SIDE
from ldam_studio.export.sheet import Font, fitted
from ldam_studio.networks.pixels import PixelSpec

GAP = 8  # pixels between panes
GROUND = 64  # grey of gaps, as between the chains of a grid
BAND, MARGIN, TYPE_SIZE = 24, 6, 13
BAND_GREY, TEXT_GREY = 20, 220
STEADY = 0.9


@dataclass(frozen=True)
class Pane:
    """What a pane shows of one network's chains.

    Attributes
    ----------
    images
        One image or several, (n, C, H, W), in pixel units; several are arranged as a grid.
    pixels
        What their values mean.
    display
        "image" or "signed", see `engine.picture.to_bytes`.
    scale
        For "signed": the distance from rest that is black or white; None for one that follows the
        images slowly.
    kind
        Panes of one kind and group share a scale, for example "raw" or "average".
    columns
        Images in a row of the grid; None as in `engine.picture.grid`.
    """

    images: Floats
    pixels: PixelSpec
    display: str
    scale: float | None = None
    kind: str = ""
    columns: int | None = None


Group = Sequence[Sequence[Pane]]
"""The panes of one session, in rows."""

Layout = Sequence[Sequence[Sequence[tuple[int, int]]]]
"""For each group, for each of its rows, width and height of its panes' full pictures."""


class Composer:
    """Composes frames of one size, whatever the size and number of images on the way.

    An image of the full size is enlarged by a whole number, so that its pixels are squares; smaller
    ones, as schedules of resolutions have them, take the same place. Larger ones than the animation
    are averaged. The scale of the signed display is the geometric mean of the largest distances
    from rest of about ten frames, so that it neither flickers nor needs to know later frames.

    Parameters
    ----------
    layout
        The panes.
    height
        Height of the animation in pixels, at most.
    titles
        A text above each group; none at all for no band of texts. Longer texts are cut.

    Attributes
    ----------
    layout
        As given.
    size
        Width and height of the frames.
    scales
        The scales after the last frame, by group and kind. Another composer that is given these
        goes on exactly.
    """

    def __init__(
        self,
        layout: Layout,
        height: int,
        titles: Sequence[str] = (),
    ) -> None:
        self.layout, self._titles = layout, titles
        self._band = BAND if titles else 0
        self.scales: dict[tuple[int, str], float] = {}
        across = [max(len(row) for row in group) for group in layout]
        rows = max(len(group) for group in layout)
        room = (
            (MOST_SIDE - GAP * (sum(across) - 1)) / sum(across),
            max(1.0, (height - self._band - GAP * (rows - 1)) / rows),
        )
        shown = [[[enlarged(pane, room) for pane in row] for row in group] for group in layout]
        widths = [max(pane[0] for row in group for pane in row) for group in shown]
        tall = max(pane[1] for group in shown for row in group for pane in row)
        lefts = np.cumsum([0] + [n * (w + GAP) for n, w in zip(across, widths, strict=True)])
        self._lefts = [int(left) for left in lefts[:-1]]
        self._widths = [n * (w + GAP) - GAP for n, w in zip(across, widths, strict=True)]
        self._boxes = [
            [
                [
                    (
                        left + column * (width + GAP) + (width - pane[0]) // 2,
                        self._band + number * (tall + GAP) + (tall - pane[1]) // 2,
                        *pane,
                    )
                    for column, pane in enumerate(row)
                ]
                for number, row in enumerate(group)
            ]
            for group, left, width in zip(shown, self._lefts, widths, strict=True)
        ]
        self.size = (
            int(lefts[-1]) - GAP,
            self._band + rows * (tall + GAP) - GAP,
        )

    def __call__(self, groups: Sequence[Group], notes: Sequence[str] = ()) -> Bytes:
        """Return a frame (H, W, 3).

        Parameters
        ----------
        groups
            The panes, as they were announced; one that is missing stays empty.
        notes
            A text for each group, such as its step, at the right of its title.
        """
        page = Image.new("RGB", self.size, (GROUND,) * 3)
        for number, group in enumerate(groups):
            scales = self._scales_of(number, group)
            for boxes, row in zip(self._boxes[number], group, strict=False):
                for (left, top, *size), pane in zip(boxes, row, strict=False):
                    picture = fitted_to(_drawn(pane, scales.get(pane.kind)), (size[0], size[1]))
                    down, right = (
                        (size[1] - picture.shape[0]) // 2,
                        (size[0] - picture.shape[1]) // 2,
                    )
                    page.paste(Image.fromarray(picture), (left + right, top + down))
        if self._band:
            self._write(page, notes)
        return np.asarray(page)

    def _scales_of(self, number: int, group: Group) -> Mapping[str, float | None]:
        """Return the scale of each kind, and remember those that follow the images."""
        found: dict[str, float | None] = {}
        for kind in {pane.kind for row in group for pane in row}:
            panes = [pane for row in group for pane in row if pane.kind == kind]
            found[kind] = panes[0].scale
            if panes[0].display != "signed" or panes[0].scale is not None:
                continue
            images = [image for pane in panes for image in pane.images]
            if all((image == panes[0].pixels.rest).all() for image in images):
                found[kind] = 1.0  # nothing was averaged yet
                continue
            now = common_scale(images, panes[0].pixels)
            before = self.scales.get((number, kind), now)
            found[kind] = self.scales[number, kind] = before**STEADY * now ** (1 - STEADY)
        return found

    def _write(self, page: Image.Image, notes: Sequence[str]) -> None:
        pen = ImageDraw.Draw(page)
        font = _font()
        pen.rectangle((0, 0, page.width, BAND - 1), (BAND_GREY,) * 3)
        for number, (left, width) in enumerate(zip(self._lefts, self._widths, strict=True)):
            note = plain(notes[number]) if number < len(notes) else ""
            taken = math.ceil(font.getlength(note)) if note else 0
            end, middle = left + width - MARGIN, BAND // 2
            grey = (TEXT_GREY,) * 3
            if taken <= width - 2 * MARGIN:
                pen.text((end, middle), note, grey, font, anchor="rm")
            room = width - 4 * MARGIN - taken
            if room > 2 * TYPE_SIZE:
                title = fitted(plain(self._titles[number]), font, room)
                pen.text((left + MARGIN, middle), title, grey, font, anchor="lm")


def enlarged(picture: tuple[int, int], room: tuple[float, float]) -> tuple[int, int]:
    """Return the width and height at which a picture fits: a whole number of times its own.

    A picture that is larger than the room is reduced to fit.
    """
    factor = min(most / side for most, side in zip(room, picture, strict=True))
    factor = math.floor(factor) if factor >= 1 else factor
    width, height = (max(1, round(side * factor)) for side in picture)
    return width, height


def fitted_to(picture: Bytes, size: tuple[int, int]) -> Bytes:
    """Return a picture (H, W, 3) as large as it can be within width and height.

    Enlarged pixels are rectangles; of a larger picture, squares are averaged.
    """
    height, width = picture.shape[:2]
    factor = min(size[0] / width, size[1] / height)
    to = (max(1, round(width * factor)), max(1, round(height * factor)))
    if to == (width, height):
        return picture
    way = Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BOX
    return np.asarray(Image.fromarray(picture).resize(to, way))


@cache
def _font() -> Font:
    return ImageFont.load_default(TYPE_SIZE)


def _drawn(pane: Pane, scale: float | None) -> Bytes:
    pictures = [to_bytes(image, pane.pixels, pane.display, scale) for image in pane.images]
    return pictures[0] if len(pictures) == 1 else grid(pictures, pane.columns)
