"""The zoom: which part of an image a pane shows.

All positions are in *device* pixels. Each pixel of a small image covers a whole number of device
pixels, so that all pixels have the same size and stay crisp at every scaling of the display. A
large image fits its pane only at a scale below `CRISP`; a whole number could then leave half of the
pane unused, so the image is scaled smoothly to the size of the pane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

LARGEST = 96
SMALLEST = Fraction(1, 8)
CRISP = 3  # from this scale on, only whole numbers are used: they leave little space unused

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in image pixels; bottom and right are exclusive."""


@dataclass(frozen=True)
class Viewport:
    """The zoom and the position of an image in a pane.

    Parameters
    ----------
    scale
        Device pixels per image pixel.
    left, top
        Position of the image's upper left corner in the pane, in device pixels.
    fitted
        Whether the zoom follows the size of the pane.
    part
        The part of the image that fills the pane if fitted; None for the whole image.
    """

    scale: Fraction = Fraction(1)
    left: int = 0
    top: int = 0
    fitted: bool = True
    part: Box | None = None

    @property
    def smooth(self) -> bool:
        """Whether the image is scaled smoothly, because the scale is not a whole number."""
        return self.scale.denominator != 1


def fit_scale(image: tuple[int, int], pane: tuple[int, int]) -> Fraction:
    """Return the scale at which an image (width, height) fits a pane (width, height).

    From `CRISP` on, that is the largest whole number that fits; below it, the exact ratio.
    """
    exact = min(Fraction(room, max(size, 1)) for room, size in zip(pane, image, strict=True))
    if exact >= CRISP:
        return Fraction(min(floor(exact), LARGEST))
    return max(exact, SMALLEST)


def fit_part(part: Box, pane: tuple[int, int]) -> Viewport:
    """Return the view in which a part of an image, with a margin of one pixel, fills a pane."""
    top, left, bottom, right = part[0] - 1, part[1] - 1, part[2] + 1, part[3] + 1
    scale = fit_scale((right - left, bottom - top), pane)
    return Viewport(
        scale,
        round((pane[0] - (left + right) * scale) / 2),
        round((pane[1] - (top + bottom) * scale) / 2),
        part=part,
    )


def extent(image: tuple[int, int], scale: Fraction) -> tuple[int, int]:
    """Return an image's size ``(width, height)`` in device pixels, at least 1."""
    return max(int(image[0] * scale), 1), max(int(image[1] * scale), 1)


def neighbour(scale: Fraction, notches: int) -> Fraction:
    """Return the scale after some notches of the wheel, each about a quarter larger or smaller.

    From 1 on, scales are whole numbers.
    """
    for _ in range(abs(notches)):
        if notches > 0:
            scale = _larger(scale)
        elif scale > 1:
            scale = Fraction(ceil(scale) - max(1, int(scale) // 5))
        else:
            scale = Fraction(1, floor(1 / scale) + 1)
    return min(max(scale, SMALLEST), Fraction(LARGEST))


def _larger(scale: Fraction) -> Fraction:
    if scale < 1:
        return Fraction(1, max(ceil(1 / scale) - 1, 1))
    return Fraction(floor(scale) + max(1, int(scale) // 4))


def zoom(view: Viewport, notches: int, at: tuple[float, float]) -> Viewport:
    """Return a view zoomed about a point of the pane, which stays in place."""
    scale = neighbour(view.scale, notches)
    ratio = float(scale / view.scale)
    return Viewport(
        scale,
        round(at[0] - (at[0] - view.left) * ratio),
        round(at[1] - (at[1] - view.top) * ratio),
        fitted=False,
    )


def pan(view: Viewport, across: int, down: int) -> Viewport:
    """Return a view moved by whole device pixels."""
    return replace(view, left=view.left + across, top=view.top + down, fitted=False, part=None)


def keep_visible(view: Viewport, image: tuple[int, int], pane: tuple[int, int]) -> Viewport:
    """Return a view moved so that the image covers the middle of the pane, or lies in the pane."""
    width, height = extent(image, view.scale)
    edge = min(pane[0] // 2, width), min(pane[1] // 2, height)
    return replace(
        view,
        left=min(max(view.left, edge[0] - width), pane[0] - edge[0]),
        top=min(max(view.top, edge[1] - height), pane[1] - edge[1]),
    )


def pixel_at(
    view: Viewport, image: tuple[int, int], at: tuple[float, float]
) -> tuple[int, int] | None:
    """Return the image pixel ``(x, y)`` under a point of the pane, or None outside the image."""
    x = int((at[0] - view.left) // view.scale)
    y = int((at[1] - view.top) // view.scale)
    return (x, y) if 0 <= x < image[0] and 0 <= y < image[1] else None
