"""The settings of mode *exact* with which chains move as they do in mode *normalised*.

A normalised step divides the gradient of the activation by its root-mean-square g. With a step size
eps / g, a temperature T g and weights lam g, the exact step is the same, as long as g is:

    (eps / 2) (grad a / g - lam ...) + sqrt(eps T) xi
      = (eps / g / 2) (grad a - lam g ...) + sqrt(eps / g * T g) xi
"""

from __future__ import annotations

import math
from typing import Any

from ldam_studio.sampler.setting import Setting
from ldam_studio.sampler.settings import SETTINGS, PerChain, Settings
from ldam_studio.sampler.terms import TERMS

DIGITS = 2


def exact_values(settings: Settings, size: float) -> dict[str, Any]:
    """Return the values that make a session in mode normalised exact, by name.

    Parameters
    ----------
    settings
        Those of a lane; each of its values counts for all chains where they differ, as the first.
    size
        The present root-mean-square of the activation's gradient; above 0.
    """
    if settings.mode == "exact" or not (size > 0 and math.isfinite(size)):
        return {"mode": "exact"}
    scaled = {"temperature": size, "step_size": 1 / size}
    scaled |= {term.setting: size for term in TERMS if term.source is None and term.has_value}
    found = {
        name: _rounded(SETTINGS[name], first_of(getattr(settings, name)) * factor)
        for name, factor in scaled.items()
    }
    return {"mode": "exact", **found}


def moving_temperature(l2: float, square: float) -> float:
    """Return the temperature at which chains leave a picture about as often as they keep it.

    With L2 alone, a pixel has the variance T / (2 lam). It is then half as large as the picture.

    Parameters
    ----------
    l2
        The weight lam in mode exact.
    square
        Mean square of the picture's distance from the rest colour, in pixel units.
    """
    return _rounded(SETTINGS["temperature"], l2 * square)


def first_of(value: PerChain) -> float:
    """Return the value of the first chain."""
    return value[0] if isinstance(value, tuple) else value


def _rounded(about: Setting, value: float) -> float:
    rounded = float(f"{value:.{DIGITS}g}")
    return min(max(rounded, about.minimum), about.maximum)
