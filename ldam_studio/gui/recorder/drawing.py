"""Draws the frames of an animation: images, enlarged and side by side."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ldam_studio.engine.picture import (
    Bytes,
    Floats,
    at_largest_size,
    common_scale,
    grid,
    to_bytes,
)
from ldam_studio.gui.recorder.catching import Caught, Images
from ldam_studio.gui.recorder.page import GAP, Page
from ldam_studio.gui.session.model import SIGNED

GREY = 64  # of gaps and margins
STEADY = 0.9  # how much of the scale before stays from frame to frame, so that it does not flicker


class Drawing:
    """Draws frames of one size, whatever the images' size and number, on grey.

    The scale of the signed display follows the images slowly.

    Parameters
    ----------
    size
        Width and height of a frame.
    what
        One of `catching.WHAT`.
    """

    def __init__(self, size: tuple[int, int], what: str) -> None:
        self._size, self._what = size, what
        self._scales: dict[bool, float] = {}

    def __call__(self, caught: Caught) -> Bytes:
        """Return what a frame shows, (H, W, 3)."""
        panes = at_largest_size([_values(each, caught) for each in caught.images])
        height, width = panes[0].shape[2:]
        lanes = len(panes) // 2 if self._what == "both" else len(panes)
        page = Page(self._what, (width, height), len(panes[0]), lanes)
        averaged = [each.samples is not None for each in caught.images]
        scales = {
            kind: self._scale(
                kind, [p for p, own in zip(panes, averaged, strict=True) if own is kind], caught
            )
            for kind in set(averaged)
        }
        shown = [
            grid([to_bytes(image, caught.pixels, caught.display.mode, scales[kind]) for image in p])
            for p, kind in zip(panes, averaged, strict=True)
        ]
        pane_size = page.pane_at(page.zoom(self._size))
        fitted = [_at(pane, pane_size) for pane in shown]
        return _centred(grid(fitted, page.columns, GAP), self._size)

    def _scale(self, kind: bool, panes: list[Floats], caught: Caught) -> float | None:
        """Return the scale of raw samples or averages; None if none is needed."""
        display = caught.display
        if display.mode != SIGNED or display.scale is not None:
            return display.scale
        now = common_scale([image for pane in panes for image in pane], caught.pixels)
        before = self._scales.get(kind, now)
        self._scales[kind] = before**STEADY * now ** (1 - STEADY)
        return self._scales[kind]


def _values(images: Images, caught: Caught) -> Floats:
    """Return images (n, C, H, W); where nothing was averaged yet, the rest colour."""
    values: Floats = images.values.array()
    if images.samples is None:
        return values
    empty = images.samples.array() == 0
    if not empty.any():
        return values
    return np.where(empty[:, None, None, None], np.float32(caught.pixels.rest), values)


def _at(pane: Bytes, size: tuple[int, int]) -> Bytes:
    """Return a pane at another width and height; enlarged, each pixel becomes a rectangle."""
    smaller = size[0] < pane.shape[1] or size[1] < pane.shape[0]
    way = Image.Resampling.BOX if smaller else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(pane).resize(size, way))


def _centred(picture: Bytes, size: tuple[int, int]) -> Bytes:
    """Return a picture in the middle of a frame; one that is too large is made smaller."""
    width, height = size
    tall, wide = min(height, picture.shape[0]), min(width, picture.shape[1])
    if (tall, wide) != picture.shape[:2]:  # gaps alone may be larger than a small frame
        picture = _at(picture, (wide, tall))
    frame = np.full((height, width, 3), GREY, np.uint8)
    top, left = (height - tall) // 2, (width - wide) // 2
    frame[top : top + tall, left : left + wide] = picture
    return frame
