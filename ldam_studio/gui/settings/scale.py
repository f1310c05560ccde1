"""Converts between positions of a slider and values of a setting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ldam_studio.sampler.setting import Setting

STEPS = 1000
NOTCH = 1.12  # factor of one notch of the wheel on a logarithmic slider; six double the value


@dataclass(frozen=True)
class Scale:
    """The range of a slider.

    Parameters
    ----------
    minimum, maximum
        The values at the ends, in the setting's unit; above 0 on a logarithmic slider.
    logarithmic
        Whether equal distances on the slider are equal ratios of values.
    zero
        Whether the left end of a logarithmic slider means exactly 0.
    whole
        Whether all values are whole numbers.
    """

    minimum: float
    maximum: float
    logarithmic: bool = False
    zero: bool = False
    whole: bool = False

    @classmethod
    def of(cls, setting: Setting) -> Scale:
        """Return the slider range of a setting that is a number."""
        return cls(
            *setting.slider,
            logarithmic=setting.scale == "log",
            zero=setting.zero,
            whole=setting.scale == "count",
        )

    def position(self, value: float) -> int:
        """Return the position (0 to `STEPS`) of a value; it is an end for values out of range."""
        if not self.logarithmic:
            share = (value - self.minimum) / (self.maximum - self.minimum)
            return min(max(round(share * STEPS), 0), STEPS)
        if value <= 0:
            return 0
        first = 1 if self.zero else 0
        share = math.log(value / self.minimum) / math.log(self.maximum / self.minimum)
        return min(max(first + round(share * (STEPS - first)), first), STEPS)

    def value(self, position: int) -> float:
        """Return the value at a position, rounded to three significant digits."""
        if not self.logarithmic:
            return self._tidy(self.minimum + position / STEPS * (self.maximum - self.minimum))
        if self.zero and position <= 0:
            return 0.0
        first = 1 if self.zero else 0
        share = (position - first) / (STEPS - first)
        return self._tidy(self.minimum * (self.maximum / self.minimum) ** share)

    def turned(self, value: float, notches: float) -> float:
        """Return a value after some notches of the wheel, within the slider's range."""
        if not self.logarithmic:
            step = (self.maximum - self.minimum) / 50
            step = max(1.0, round(step)) if self.whole else step
            return min(max(self._tidy(value + notches * step), self.minimum), self.maximum)
        if value <= 0:
            return self.minimum if notches > 0 else value
        turned = value * NOTCH**notches
        if turned < self.minimum * 0.999:
            return 0.0 if self.zero else self.minimum
        return min(self._tidy(turned), self.maximum)

    def _tidy(self, value: float) -> float:
        return float(round(value)) if self.whole else float(f"{value:.3g}")
