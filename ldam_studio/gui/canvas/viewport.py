"""Which part of an image a pane shows, in device pixels.

All positions are *device* pixels. A pixel of a small image always covers a whole number of them, so
that it stays crisp at every scaling of the display, and all its pixels have one size. An image so
large that whole numbers below `CRISP` are all that fits would leave up to half of its pane unused:
it is shown as large as the pane lets it, smoothly. So is one that is larger than its pane.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

LARGEST = 96
SMALLEST = Fraction(1, 8)
CRISP = 3  # device pixels per image pixel from which a whole number of them uses the room well

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in image pixels; bottom and right are exclusive."""


@dataclass(frozen=True)
class Viewport:
    """The zoom and the place of an image in a pane.

    Parameters
    ----------
    scale
        Device pixels per image pixel.
    left, top
        Where the image's upper left corner lies in the pane, in device pixels.
    fitted
        Whether the view follows the size of the pane.
    part
        What of the image fills a fitted view; None is all of it.
    """

    scale: Fraction = Fraction(1)
    left: int = 0
    top: int = 0
    fitted: bool = True
    part: Box | None = None

    @property
    def smooth(self) -> bool:
        """Whether image pixels cover no whole number of device pixels."""
        return self.scale.denominator != 1


def fit_scale(image: tuple[int, int], pane: tuple[int, int]) -> Fraction:
    """Return the scale at which an image (width, height) fits a pane (width, height).

    The largest whole number that does, from `CRISP` on; below that, just what the pane has room
    for.
    """
    exact = min(Fraction(room, max(size, 1)) for room, size in zip(pane, image, strict=True))
    if exact >= CRISP:
        return Fraction(min(floor(exact), LARGEST))
    return max(exact, SMALLEST)


def fit_part(part: Box, pane: tuple[int, int]) -> Viewport:
    """Return the view in which a part of an image, and an image pixel around it, fills a pane."""
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
    """Return the scale ``notches`` steps away: about a quarter larger or smaller for each.

    From 1 on the steps are whole numbers.
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
    """Return ``view`` zoomed about ``at`` (device pixels in the pane), which stays in place."""
    scale = neighbour(view.scale, notches)
    ratio = float(scale / view.scale)
    return Viewport(
        scale,
        round(at[0] - (at[0] - view.left) * ratio),
        round(at[1] - (at[1] - view.top) * ratio),
        fitted=False,
    )


def pan(view: Viewport, across: int, down: int) -> Viewport:
    """Return ``view`` moved by whole device pixels."""
    return replace(view, left=view.left + across, top=view.top + down, fitted=False, part=None)


def keep_visible(view: Viewport, image: tuple[int, int], pane: tuple[int, int]) -> Viewport:
    """Return ``view`` moved so that some of the image, a quarter of the pane, is in sight."""
    width, height = extent(image, view.scale)
    edge = min(pane[0] // 4, width), min(pane[1] // 4, height)
    return replace(
        view,
        left=min(max(view.left, edge[0] - width), pane[0] - edge[0]),
        top=min(max(view.top, edge[1] - height), pane[1] - edge[1]),
    )


def pixel_at(
    view: Viewport, image: tuple[int, int], at: tuple[float, float]
) -> tuple[int, int] | None:
    """Return the image pixel ``(x, y)`` under a point of the pane, or None beside the image."""
    x = int((at[0] - view.left) // view.scale)
    y = int((at[1] - view.top) // view.scale)
    return (x, y) if 0 <= x < image[0] and 0 <= y < image[1] else None
