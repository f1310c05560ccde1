"""Where the values of a schedule lie in its plot, and how points are moved. No widgets in here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ldam_studio.gui.settings.scale import STEPS, Scale
from ldam_studio.sampler.curve import MOST_POINTS, MOST_STEPS, Point
from ldam_studio.sampler.schedule import (
    STARTS,
    cycle_at,
    cycle_begin,
    follows,
    length_of,
    points,
    value_of,
)
from ldam_studio.sampler.schedule_settings import CURVES, CYCLES
from ldam_studio.sampler.settings import SETTINGS, Settings

EMPTY = 100  # steps that are shown where nothing is drawn
CYCLES_SHOWN = 3
SAMPLES = 240  # values that are drawn


@dataclass(frozen=True)
class Axes:
    """The steps and the values that a plot shows; shares are 0 at its left or bottom, 1 opposite.

    Parameters
    ----------
    first, last
        The steps at the left and at the right.
    scale
        The scale of the setting's slider, stretched to all values that are drawn.
    """

    first: int
    last: int
    scale: Scale

    @classmethod
    def of(cls, settings: Settings, name: str, at: int) -> Axes:
        """Return the axes for the schedule of the setting `name` at the step `at`."""
        first, last = steps_shown(settings, at)
        scale = Scale.of(SETTINGS[name])
        values = [point.value for point in points(settings, name)]
        if settings.schedule_shape != CURVES:
            values = [*numbers(getattr(settings, STARTS[name])), *numbers(getattr(settings, name))]
        least = min((v for v in values if v > 0 or not scale.logarithmic), default=scale.minimum)
        most = max(values, default=scale.maximum)
        low, high = min(scale.minimum, least), max(scale.maximum, most)
        return cls(first, last, replace(scale, minimum=low, maximum=high))

    def across(self, step: float) -> float:
        """Return the share of a step."""
        return (step - self.first) / (self.last - self.first)

    def up(self, value: float) -> float:
        """Return the share of a value; it is 0 or 1 for values out of range."""
        return self.scale.position(value) / STEPS

    def step(self, share: float) -> int:
        """Return the step at a share, also beyond the ends."""
        return min(max(round(self.first + share * (self.last - self.first)), 0), MOST_STEPS)

    def value(self, share: float) -> float:
        """Return the value at a share, rounded as a slider does."""
        return self.scale.value(round(min(max(share, 0.0), 1.0) * STEPS))


def numbers(value: object) -> list[float]:
    """Return the numbers among a value, or a value for each chain."""
    values = value if isinstance(value, tuple) else (value,)
    return [float(v) for v in values if isinstance(v, int | float)]


def steps_shown(settings: Settings, at: int) -> tuple[int, int]:
    """Return the first and the last step of a plot; room is left for further points."""
    if settings.schedule_shape == CYCLES and settings.schedule:
        number = max(cycle_at(settings, at).number - 1, 0)
        ends = (cycle_begin(settings, number), cycle_begin(settings, number + CYCLES_SHOWN))
        return math.floor(ends[0]), math.ceil(ends[1])
    length = length_of(settings)
    if settings.schedule_shape != CURVES:
        return 0, math.ceil(1.15 * (length or EMPTY))
    return 0, min(_rounded(1.2 * max(length, EMPTY / 1.2)), MOST_STEPS + 1)


def _rounded(number: float) -> int:
    """Return the next number with at most two digits that are not 0."""
    unit: int = 10 ** max(math.floor(math.log10(number)) - 1, 0)
    return math.ceil(number / unit - 1e-9) * unit


def path(settings: Settings, name: str, axes: Axes, chain: int) -> list[tuple[float, float]]:
    """Return the shares of the values that a chain gets, as a line from left to right."""
    stride = max((axes.last - axes.first) / SAMPLES, 1)
    count = math.floor((axes.last - axes.first) / stride)
    steps = {min(round(axes.first + n * stride), axes.last) for n in range(count + 1)}
    steps |= {point.step for point in points(settings, name)} | {axes.last}
    if settings.schedule_shape == CYCLES and settings.schedule:
        first = cycle_at(settings, axes.first).number
        begins = (cycle_begin(settings, first + n) for n in range(CYCLES_SHOWN + 1))
        steps |= {math.ceil(begin) for begin in begins}
    line: list[tuple[float, float]] = []
    for step in sorted(step for step in steps if step <= axes.last):
        value = of_chain(settings, name, step, chain)
        across, up = axes.across(step), axes.up(value)
        # What jumps, as a warm restart or a resolution, does so from one step to the next.
        if line and step > axes.first and (_jumps(settings, name, step)):
            line.append((across, line[-1][1]))
        line.append((across, up))
    return line


def _jumps(settings: Settings, name: str, step: int) -> bool:
    if name == "resolution":
        return True
    return bool(settings.schedule_shape == CYCLES and settings.schedule) and (
        cycle_at(settings, step).share < cycle_at(settings, step - 1).share
    )


def of_chain(settings: Settings, name: str, step: int, chain: int) -> float:
    """Return the value that a chain has at a step, whether or not the schedule changes it."""
    value = value_of(settings, name, step) if follows(settings, name) else getattr(settings, name)
    each = numbers(value)
    return each[chain % len(each)]


def moved(drawn: Sequence[Point], number: int, step: int, value: float) -> list[Point]:
    """Return points of which one has moved; it stays between its neighbours."""
    least = drawn[number - 1].step + 1 if number else 0
    most = drawn[number + 1].step - 1 if number + 1 < len(drawn) else MOST_STEPS
    point = Point(min(max(step, least), most), value)
    return [*drawn[:number], point, *drawn[number + 1 :]]


def added(drawn: Sequence[Point], step: int, value: float) -> tuple[list[Point], int]:
    """Return points with a further one, and its number; unchanged if there is no room for it."""
    taken = [point.step for point in drawn]
    if step in taken or len(drawn) >= MOST_POINTS:
        return list(drawn), taken.index(step) if step in taken else len(drawn) - 1
    all_points = sorted([*drawn, Point(step, value)])
    return all_points, all_points.index(Point(step, value))


def halfway(drawn: Sequence[Point], number: int, axes: Axes) -> tuple[int, float]:
    """Return step and value of a point between one and the next, or behind the last one."""
    here = drawn[number]
    if number + 1 == len(drawn):
        return here.step + max((axes.last - axes.first) // 10, 1), here.value
    there = drawn[number + 1]
    middle = (axes.up(here.value) + axes.up(there.value)) / 2
    return (here.step + there.step) // 2, axes.value(middle)
