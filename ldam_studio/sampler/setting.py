"""The description of a setting: its texts, its range, where it is shown and what it affects."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, ParamSpec

from ldam_studio.errors import StudioError
from ldam_studio.sampler import curve

Scale = Literal["linear", "log", "count", "choice", "flag", "curve"]
Group = Literal[
    "sampler",
    "average",
    "objective",
    "image",
    "views",
    "schedule",
    "start",
    "more",
    "learner",
    "watching",
]


@dataclass(frozen=True)
class Setting:
    """The description from which sliders, flags, recipes and tables are made.

    Attributes
    ----------
    label, default, help
        The label and help text that the user reads, and the initial value.
    scale
        "linear" and "log" for a number on a linear or logarithmic slider, "count" for a whole
        number, "choice" for a word, "flag" for a switch, "curve" for values at a few steps.
    of_points
        The scale of the values of a curve.
    bounds, slider
        The smallest and the largest number that is accepted, and those at the slider's ends.
    zero
        Whether the left end of a logarithmic slider means exactly 0.
    unit, choices
        The number's unit, and the words to choose from.
    gap
        The smallest number above 0 that is accepted, where 0 has a meaning of its own.
    auto
        Whether the word "auto" is accepted besides numbers.
    group
        The part of the window that shows it. The discriminator's panel ("learner") and the panel of
        a watched training ("watching") have their own controls.
    per_chain
        Whether each chain may have its own value.
    unsettles
        Whether it changes the distribution of the chains, so that they have to settle again.
    teaches
        Whether it lets the discriminator learn.
    window_only
        Whether it is used only in the window, so that no command has a flag for it.
    of_chains
        Whether it is a field of `Settings`; the others belong to the session.
    name
        The name in `Settings`, in recipes and on the command line.
    """

    label: str
    default: Any
    help: str
    scale: Scale = "linear"
    of_points: Scale = "log"
    bounds: tuple[float, float] = (0, 1)
    slider: tuple[float, float] = (0, 1)
    zero: bool = False
    unit: str = ""
    choices: tuple[str, ...] = ()
    gap: float = 0
    auto: bool = False
    group: Group = "more"
    per_chain: bool = False
    unsettles: bool = False
    teaches: bool = False
    window_only: bool = False
    of_chains: bool = False
    name: str = ""

    @property
    def minimum(self) -> float:
        """The smallest number that is accepted."""
        return self.bounds[0]

    @property
    def maximum(self) -> float:
        """The largest number that is accepted."""
        return self.bounds[1]

    def check(self, value: Any) -> Any:
        """Return `value` in this setting's type, or raise `StudioError` with one sentence."""
        if self.auto and value == "auto":
            return "auto"
        if self.scale == "flag":
            return self._flag(value)
        if self.scale == "choice":
            if value not in self.choices:
                raise StudioError(
                    f"{self.label} must be one of {', '.join(self.choices)}, not {str(value)!r}."
                )
            return value
        if self.scale == "curve":
            whole = self.of_points == "count"
            return curve.checked(self.label, value, self.bounds, whole=whole)
        return self._number(value)

    def parse(self, text: str) -> Any:
        """Read a value as the user types it ("0.1", "on", "auto", "exact")."""
        text = text.strip()
        return self.check(text.lower() if self.scale in ("flag", "choice") or self.auto else text)

    def _flag(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        words = {"on": True, "true": True, "yes": True, "1": True}
        words |= {"off": False, "false": False, "no": False, "0": False}
        if str(value) not in words:
            raise StudioError(f"{self.label} must be on or off, not {str(value)!r}.")
        return words[str(value)]

    def _number(self, value: Any) -> float | int:
        whole = self.scale == "count"
        kind = "a whole number" if whole else "a number"
        or_auto = ' or "auto"' if self.auto else ""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(value, bool) or not math.isfinite(number) or (whole and number % 1):
            raise StudioError(f"{self.label} must be {kind}{or_auto}, not {str(value)!r}.")
        if not self.minimum <= number <= self.maximum:
            raise StudioError(
                f"{self.label} must lie between {_plain(self.minimum)} and {_plain(self.maximum)}"
                f"{or_auto}, not {_plain(number)}."
            )
        if 0 < number < self.gap:
            raise StudioError(
                f"{self.label} must be 0, or lie between {_plain(self.gap)} and "
                f"{_plain(self.maximum)}, not {_plain(number)}."
            )
        return int(number) if whole else number


_P = ParamSpec("_P")


def _as_field(describe: Callable[_P, Setting]) -> Callable[_P, Any]:
    def setting(*args: _P.args, **keywords: _P.kwargs) -> Any:
        about = describe(*args, **keywords)
        return field(default=about.default, metadata={"setting": about})

    return setting


setting = _as_field(Setting)
"""Declare a field of `Settings` by its description; takes the arguments of `Setting`."""


def _plain(number: float) -> str:
    """Return a number with thousands separators, and without an exponent unless it is very long."""
    return f"{number:,.10g}"
