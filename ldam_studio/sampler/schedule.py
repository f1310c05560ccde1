r"""Schedules: settings that change from step to step, by themselves.

In the shape *once*, a schedule of n steps begins with the chains. At step t < n (counted from 0) a
setting with start value a and own value b has the value

    a (b / a)^(t / n)

and from step n on the value b. If b is 0, which no geometric sequence reaches, it is a (1 - t / n);
the discriminator weight is a + (b - a) t / n. With the course *cosine* every setting has the value

    b + (a - b) (1 + cos(pi t / n)) / 2

The resolution changes once: it is the start resolution while t < share n.

In the shape *cycles*, the same begins again at the end of each cycle: cycle i has n g^i steps, and
t / n is the share of it that has passed. With the course *cosine* this is the warm restart of
Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts" (2017), equation 5,
and the step size of Zhang, Li, Zhang, Chen and Wilson, "Cyclical stochastic gradient MCMC for
Bayesian deep learning" (2020), equation 1. As there, only samples from the cold end of a cycle
count.

In the shape *curves*, a setting follows the points that were drawn for it, see `sampler.curve`.

While a schedule runs, the chains' distribution changes from step to step, as in annealing
(Kirkpatrick, Gelatt and Vecchi, "Optimization by simulated annealing", 1983). After the end of a
schedule that runs once it stays the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ldam_studio.sampler.curve import Point, points_of, value_at
from ldam_studio.sampler.schedule_settings import AUTO, COSINE, CURVES, CYCLES, EACH, ONCE
from ldam_studio.sampler.settings import SETTINGS, PerChain, Settings

STARTS: Mapping[str, str] = {
    name: f"{name}_start"
    for name in (
        "step_size",
        "temperature",
        "denoiser_noise",
        "resolution",
        "discriminator_weight",
    )
}
"""The settings that a schedule can change, with the settings of their start values."""
LEAST_GROWTH = 1e-6
"""Below it, cycles do not become longer: a float could not tell where they begin."""
CURVE_OF: Mapping[str, str] = {name: f"{name}_curve" for name in STARTS}
"""The same settings with those of their curves."""


@dataclass(frozen=True)
class Clock:
    """The position of chains in their schedule.

    Attributes
    ----------
    steps
        Number of steps since the chains started, or since the schedule began again.
    taken
        The settings that the user has changed while the schedule ran; they have left it.
    held
        The step of the schedule at which it was stopped; None while it runs.
    behind
        Number of steps for which it was stopped before.
    """

    steps: int = 0
    taken: frozenset[str] = frozenset()
    held: int | None = None
    behind: int = 0

    @property
    def at(self) -> int:
        """The present step of the schedule."""
        return self.steps - self.behind if self.held is None else self.held

    def after_step(self) -> Clock:
        """Return the clock one step later."""
        return Clock(self.steps + 1, self.taken, self.held, self.behind)

    def stopped(self) -> Clock:
        """Return the clock of a schedule that stays where it is."""
        return replace(self, held=self.at)

    def going_on(self) -> Clock:
        """Return the clock of a schedule that goes on from where it is."""
        return replace(self, held=None, behind=self.steps - self.at)

    def taking(self, name: str, settings: Settings, before: Settings | None = None) -> Clock:
        """Return the clock after the user has changed the setting `name`.

        A setting leaves a schedule that runs. A new start value, or curve, puts it back. Cycles
        and curves begin when their shape is chosen, or with what makes a setting follow them.

        Parameters
        ----------
        settings, before
            All settings after the change, and before it; None if these are the same.
        """
        if before is not None and _is_another(settings, before):
            # What runs once does so from the chains' start on, so that undo finds it as it was.
            return Clock(self.steps, behind=self.steps * (settings.schedule_shape != ONCE))
        if name in STARTS and runs(settings, self, name):
            return replace(self, taken=self.taken | {name})
        back = {own for own in STARTS if name in (STARTS[own], CURVE_OF[own])}
        return replace(self, taken=self.taken - back)


def _is_another(settings: Settings, before: Settings) -> bool:
    if settings.schedule_shape != before.schedule_shape:
        return True
    none, some = (any(follows(one, name) for name in STARTS) for one in (before, settings))
    return settings.schedule_shape != ONCE and some and not none


class Cycle(NamedTuple):
    """A cycle by its number, counted from 0, and the share of it that has passed."""

    number: int
    share: float


def cycle_at(settings: Settings, at: int) -> Cycle:
    """Return the cycle of a step; the schedule must have a length."""
    length, growth = settings.schedule, settings.cycle_growth
    if growth - 1 < LEAST_GROWTH:
        number, passed = divmod(at, length)
        return Cycle(number, passed / length)
    rate = math.log(growth)
    number = int(math.log1p(at * (growth - 1) / length) / rate)
    # The logarithm may be wrong by one where a cycle begins.
    while cycle_begin(settings, number + 1) <= at:
        number += 1
    while cycle_begin(settings, number) > at:
        number -= 1
    begin = cycle_begin(settings, number)
    return Cycle(number, (at - begin) / (length * growth**number))


def cycle_begin(settings: Settings, number: int) -> float:
    """Return the step at which a cycle begins, n (g^i - 1) / (g - 1)."""
    length, growth = settings.schedule, settings.cycle_growth
    if growth - 1 < LEAST_GROWTH:
        return length * number
    return length * (growth**number - 1) / (growth - 1)


def points(settings: Settings, name: str) -> tuple[Point, ...]:
    """Return the points of the curve of the setting `name`; empty without one."""
    return points_of(getattr(settings, CURVE_OF[name]))


def follows(settings: Settings, name: str) -> bool:
    """Return whether a schedule changes the setting `name` at all."""
    if settings.schedule_shape == CURVES:
        return bool(getattr(settings, CURVE_OF[name]))
    start = getattr(settings, STARTS[name])
    return settings.schedule > 0 and start != AUTO and (start > 0 or SETTINGS[STARTS[name]].auto)


def has_schedule(settings: Settings) -> bool:
    """Return whether there is a schedule."""
    if settings.schedule_shape == CURVES:
        return any(follows(settings, name) for name in STARTS)
    return settings.schedule > 0


def judges(settings: Settings) -> bool:
    """Return whether the discriminator has a weight, now or later in the schedule."""
    own = settings.discriminator_weight
    weights = list(own) if isinstance(own, tuple) else [own]
    if follows(settings, "discriminator_weight"):
        weights += [point.value for point in points(settings, "discriminator_weight")]
        start = settings.discriminator_weight_start
        weights += [start] if isinstance(start, int | float) else []
    return any(weights)


def length_of(settings: Settings) -> int:
    """Return the steps after which nothing changes; 0 without a schedule, or if cycles go on."""
    if settings.schedule_shape == CURVES:
        return max((points(settings, n)[-1].step for n in STARTS if points(settings, n)), default=0)
    return 0 if settings.schedule_shape == CYCLES else settings.schedule


def runs(settings: Settings, clock: Clock, name: str) -> bool:
    """Return whether the schedule determines the setting `name` at present."""
    if name in clock.taken or not follows(settings, name):
        return False
    if settings.schedule_shape in (CYCLES, CURVES):
        return True
    return clock.at < settings.schedule


def moves(settings: Settings, clock: Clock) -> bool:
    """Return whether values may be others than a step before."""
    if clock.held is not None:
        return False
    if settings.schedule_shape == CYCLES:
        return settings.schedule > 0
    return clock.at <= length_of(settings)


def is_coarse(settings: Settings, clock: Clock) -> bool:
    """Return whether the images will have another resolution later in the schedule, or cycle."""
    if not runs(settings, clock, "resolution"):
        return False
    if settings.schedule_shape == CURVES:
        last = points(settings, "resolution")[-1].value
        return bool(value_of(settings, "resolution", clock.at) != last)
    return _is_early(settings, clock.at)


def _is_early(settings: Settings, at: int) -> bool:
    if settings.schedule_shape == CYCLES:
        return cycle_at(settings, at).share < settings.coarse_share
    return at < settings.coarse_share * settings.schedule


def is_sampled(settings: Settings, clock: Clock) -> bool:
    """Return whether samples count: with cycles, only those from the cold end of each cycle.

    Those of a schedule that was stopped, or that all settings have left, count, too.
    """
    cycles = settings.schedule_shape == CYCLES and settings.schedule > 0
    if not cycles or clock.held is not None:
        return True
    if not any(runs(settings, clock, name) for name in STARTS):
        return True
    return cycle_at(settings, clock.at).share >= 1 - settings.cycle_sampled


def begins_average(settings: Settings, clock: Clock) -> bool:
    """Return whether an average begins with the sample at `clock`, the first in a cycle to count.

    It does not begin anew if samples of all cycles are averaged.
    """
    if settings.schedule_shape != CYCLES or settings.average_cycles != EACH:
        return False
    if not moves(settings, clock) or not any(runs(settings, clock, name) for name in STARTS):
        return False
    last = clock.at - settings.thin
    if last < 0 or cycle_at(settings, last).number != cycle_at(settings, clock.at).number:
        return True
    return not is_sampled(settings, replace(clock, held=None, behind=clock.steps - last))


def at_present(settings: Settings, clock: Clock) -> Settings:
    """Return the settings with the values that the schedule gives them at present."""
    now: dict[str, Any] = {
        name: value_of(settings, name, clock.at) for name in STARTS if runs(settings, clock, name)
    }
    return replace(settings, **now) if now else settings


def value_of(settings: Settings, name: str, at: int) -> Any:
    """Return the value at a step of the schedule that the setting `name` follows."""
    if settings.schedule_shape == CURVES:
        scale = SETTINGS[CURVE_OF[name]].of_points
        value = value_at(points(settings, name), at, scale)
        return int(value) if scale == "count" else value
    start, own = getattr(settings, STARTS[name]), getattr(settings, name)
    cycles = settings.schedule_shape == CYCLES
    if not cycles and at >= settings.schedule:
        return own
    if name == "resolution":
        return start if _is_early(settings, at) else own
    share = cycle_at(settings, at).share if cycles else at / settings.schedule
    linear = SETTINGS[name].scale == "linear"
    return along(start, own, share, cosine=settings.schedule_course == COSINE, linear=linear)


def along(
    start: float, end: PerChain, share: float, *, cosine: bool = False, linear: bool = False
) -> PerChain:
    """Return the value after a `share` of the way from `start` to `end`, see the module.

    An `end` with one value for each chain gives one value for each chain.
    """
    if isinstance(end, tuple):
        return tuple(_between(start, each, share, cosine, linear) for each in end)
    return _between(start, end, share, cosine, linear)


def _between(start: float, end: float, share: float, cosine: bool, linear: bool) -> float:
    if cosine:
        return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
    if linear:
        return start + (end - start) * share
    return start * (end / start) ** share if end > 0 else start * (1 - share)
