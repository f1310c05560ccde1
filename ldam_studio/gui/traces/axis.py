"""The axes of the traces."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph as pg
from PyQt6.QtGui import QFont, QFontMetricsF


class PlainAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph is not typed
    """An axis with plain numbers, such as 12,000, that never overlap."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Return the texts of the ticks."""
        if self.logMode or self.orientation == "left":
            texts: list[str] = super().tickStrings(values, scale, spacing)
            return texts
        return [f"{value:,.0f}" for value in values]

    def tickValues(
        self, minVal: float, maxVal: float, size: float
    ) -> list[tuple[float, Sequence[float]]]:
        """Return the positions of ticks: round numbers whose texts do not overlap, at least one."""
        if not (size > 0 and maxVal > minVal):
            return [(1.0, [])]
        least = (maxVal - minVal) * self._room(maxVal) / size  # between two ticks
        middle = (minVal + maxVal) / 2

        def from_middle(tick: float) -> float:
            return abs(tick - middle)

        spacing, ticks = self._ticks(minVal, maxVal, least)
        fitting = [tick for tick in ticks if from_middle(tick) <= (maxVal - minVal - least) / 2]
        if not fitting:
            spacing, ticks = self._ticks(minVal, maxVal, least / 5)
            fitting = [min(ticks, key=from_middle)] if ticks else []
        return [(spacing, fitting)]

    def _ticks(self, low: float, high: float, least: float) -> tuple[float, list[float]]:
        """Return the distance of round numbers that are at least `least` apart, and the numbers."""
        if self.logMode:
            return 1.0, _powers(low, high, least)
        # The horizontal axis counts steps, and there are no half steps.
        spacing = _round_up(max(1.0, least) if self.orientation == "bottom" else least)
        numbers = range(math.ceil(low / spacing), math.floor(high / spacing) + 1)
        return spacing, [number * spacing for number in numbers]

    def _room(self, longest: float) -> float:
        """Return how many pixels of the axis a text needs, including a space."""
        metrics = QFontMetricsF(self.style["tickFont"] or QFont())
        if self.orientation == "left":
            return 1.3 * metrics.height()
        return metrics.horizontalAdvance(f"{longest:,.0f}") + 2 * metrics.averageCharWidth()

    def logTickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Return the texts of ticks on a logarithmic axis; the values are exponents."""
        return [f"{10.0**value:.0e}".replace("e-0", "e-").replace("e+0", "e") for value in values]


def _round_up(spacing: float) -> float:
    """Return the smallest of 1, 2, 5, 10, ... that is not below a spacing."""
    power = 10.0 ** math.floor(math.log10(spacing))
    return next(part * power for part in (1, 2, 5, 10, 20) if part * power >= spacing * (1 - 1e-9))


def _powers(low: float, high: float, least: float) -> list[float]:
    """Return the exponents of 1, 2, 5, 10, ..., or fewer of them, at least `least` apart."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    within: tuple[float, ...] = (0.0,)
    if least <= math.log10(2):
        within = (0.0, math.log10(2), math.log10(5))
    elif least <= math.log10(3):
        within = (0.0, math.log10(3))
    every = max(1, math.ceil(least))
    ticks = [p + part for p in powers if p % every == 0 for part in within]
    return [tick for tick in ticks if low <= tick <= high]


def brief(value: float, digits: int) -> str:
    """Return a number for a heading; small ones as on a logarithmic axis, such as 5.2e-4."""
    if 0 < abs(value) < 1e-3:
        return f"{value:.1e}".replace("e-0", "e-")
    return f"{value:.{digits}g}"
