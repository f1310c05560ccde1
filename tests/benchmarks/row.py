"""One line of the table."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

COMPARE = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Row:
    """A measured value and its bound, such as ``>= 0.9``; none where it is only reported.

    `interval` has the ends of its 95 % interval, where it was measured several times.
    """

    name: str
    value: float
    bound: str = ""
    interval: tuple[float, float] | None = None

    @property
    def met(self) -> bool:
        """Whether the value is within its bound, if it has one."""
        if not self.bound:
            return True
        relation, limit = self.bound.split()
        return bool(COMPARE[relation](self.value, float(limit)))

    @property
    def measured(self) -> str:
        """The value as it is printed, with its interval."""
        if self.interval is None:
            return f"{self.value:.3g}"
        return f"{self.value:.3g} ({self.interval[0]:.3g} to {self.interval[1]:.3g})"

    def json(self) -> dict[str, Any]:
        """Return the row as it is written to the file."""
        row = {"name": self.name, "value": self.value, "bound": self.bound, "met": self.met}
        return row if self.interval is None else row | {"interval": self.interval}


def mean_of(values: Sequence[float]) -> tuple[float, tuple[float, float] | None]:
    """Return the mean and Student's 95 % interval; None for fewer than two values."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, None
    half = float(stats.sem(values) * stats.t.ppf(0.975, len(values) - 1))
    return mean, (mean - half, mean + half)
