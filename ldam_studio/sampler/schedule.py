r"""Schedules: step size, temperature, noise level, resolution over the first steps of a run.

A schedule of n steps begins with the chains. At step t < n (counted from 0) a setting with start
value a and own value b has the value

    a (b / a)^(t / n)

and from step n on the value b. If b is 0, which no geometric sequence reaches, it is a (1 - t / n).
The resolution changes once: it is the start resolution while t < share n.

While a schedule runs, the chains' distribution changes from step to step, as in annealing
(Kirkpatrick, Gelatt and Vecchi, "Optimization by simulated annealing", 1983). From step n on it
stays the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ldam_studio.sampler.settings import PerChain, Settings

STARTS: Mapping[str, str] = {
    "step_size": "step_size_start",
    "temperature": "temperature_start",
    "denoiser_noise": "denoiser_noise_start",
    "resolution": "resolution_start",
}
"""The settings that a schedule can change, with the settings of their start values."""


@dataclass(frozen=True)
class Clock:
    """The position of chains in their schedule.

    Attributes
    ----------
    steps
        Number of steps since the chains started.
    taken
        The settings that the user has changed while the schedule ran; they have left it.
    """

    steps: int = 0
    taken: frozenset[str] = frozenset()

    def after_step(self) -> Clock:
        """Return the clock one step later."""
        return Clock(self.steps + 1, self.taken)

    def taking(self, name: str, settings: Settings) -> Clock:
        """Return the clock after the user has changed the setting `name`.

        A setting leaves a schedule that runs. A new start value puts it back.
        """
        if name in STARTS and runs(settings, self, name):
            return replace(self, taken=self.taken | {name})
        back = {own for own, start in STARTS.items() if start == name}
        return replace(self, taken=self.taken - back)


def runs(settings: Settings, clock: Clock, name: str) -> bool:
    """Return whether the schedule determines the setting `name` at present."""
    started = getattr(settings, STARTS[name]) > 0
    return started and clock.steps < settings.schedule and name not in clock.taken


def is_coarse(settings: Settings, clock: Clock) -> bool:
    """Return whether the images have the start resolution at present."""
    coarse: bool = clock.steps < settings.coarse_share * settings.schedule
    return coarse and runs(settings, clock, "resolution")


def at_present(settings: Settings, clock: Clock) -> Settings:
    """Return the settings with the values that the schedule gives them at present."""
    now: dict[str, Any] = {
        name: _value(settings, clock, name) for name in STARTS if runs(settings, clock, name)
    }
    return replace(settings, **now) if now else settings


def _value(settings: Settings, clock: Clock, name: str) -> Any:
    start, own = getattr(settings, STARTS[name]), getattr(settings, name)
    if name == "resolution":
        return start if is_coarse(settings, clock) else own
    return along(start, own, clock.steps / settings.schedule)


def along(start: float, end: PerChain, share: float) -> PerChain:
    """Return the value after a `share` of the way from `start` to `end`, see the module.

    An `end` with one value for each chain gives one value for each chain.
    """
    if isinstance(end, tuple):
        return tuple(_between(start, each, share) for each in end)
    return _between(start, end, share)


def _between(start: float, end: float, share: float) -> float:
    return start * (end / start) ** share if end > 0 else start * (1 - share)
