"""Curves drawn by hand: values of a setting at a few steps, and between them.

A curve is a text such as "0:1, 40:0.2, 100:0.01": a value at each of a few steps. From one point to
the next the value goes geometrically on a logarithmic scale, or in equal steps if one of both is 0
or the scale is linear; whole numbers stay until the next point. Before the first point and after
the last one the value is that of the point.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from ldam_studio.errors import StudioError

MOST_POINTS = 32
MOST_STEPS = 1_000_000


class Point(NamedTuple):
    """The value of a setting at a step of the schedule."""

    step: int
    value: float


def checked(label: str, text: object, bounds: tuple[float, float], *, whole: bool = False) -> str:
    """Return a curve's text as it is stored; it is empty if it has no points.

    Parameters
    ----------
    label
        The setting's name in sentences.
    bounds
        The least and the greatest value of a point.
    whole
        Whether values are whole numbers.

    Raises
    ------
    StudioError
        If the text is no curve, has too many points, steps that do not rise, or values out of
        bounds.
    """
    if not isinstance(text, str):
        raise _no_curve(label, text)
    if not text.strip():
        return ""
    parts = text.split(",")
    if len(parts) > MOST_POINTS:
        raise StudioError(f"{label} takes at most {MOST_POINTS} points, not {len(parts):,}.")
    points = [_point(label, part) for part in parts]
    for before, after in pairwise(points):
        if after.step <= before.step:
            raise StudioError(
                f"{label} needs steps that rise from point to point, but {after.step:,} follows "
                f"{before.step:,}."
            )
    for step, value in points:
        if not 0 <= step <= MOST_STEPS:
            raise StudioError(f"{label} needs steps between 0 and {MOST_STEPS:,}, not {step:,}.")
        if whole and value % 1:
            raise StudioError(f"{label} needs whole numbers, not {value:.10g} at step {step:,}.")
        if not bounds[0] <= value <= bounds[1]:
            raise StudioError(
                f"{label} must lie between {bounds[0]:,.10g} and {bounds[1]:,.10g}, not "
                f"{value:,.10g} at step {step:,}."
            )
    return text_of(points)


def _point(label: str, part: str) -> Point:
    step, _, value = part.partition(":")
    try:
        at, number = float(step), float(value)
    except ValueError:
        raise _no_curve(label, part.strip()) from None
    if not math.isfinite(at) or at % 1 or not math.isfinite(number):
        raise _no_curve(label, part.strip())
    return Point(int(at), number)


def _no_curve(label: str, text: object) -> StudioError:
    shown = str(text)
    shown = shown if len(shown) <= 40 else f"{shown[:40]}…"
    return StudioError(
        f"{label} must be points such as 0:1, 40:0.2, 100:0.01 (step:value), not {shown!r}."
    )


def text_of(points: Sequence[Point]) -> str:
    """Return the text of points, whose values are rounded to six significant digits."""
    return ", ".join(f"{step}:{value:.6g}" for step, value in points)


@lru_cache(maxsize=256)
def points_of(text: str) -> tuple[Point, ...]:
    """Return the points of a curve that `checked` returned."""
    parts = (part.partition(":") for part in text.split(",") if part.strip())
    return tuple(Point(int(step), float(value)) for step, _, value in parts)


def value_at(points: Sequence[Point], step: int, scale: str) -> float:
    """Return a curve's value at a step; `scale` is "log", "linear" or "count" (whole numbers)."""
    later = bisect_right(points, step, key=lambda point: point.step)
    if later in (0, len(points)):
        return points[max(later - 1, 0)].value
    (begin, start), (end, stop) = points[later - 1], points[later]
    if scale == "count":
        return start
    share = (step - begin) / (end - begin)
    if scale == "log" and start > 0 and stop > 0:
        return float(start * (stop / start) ** share)
    return start + (stop - start) * share
