"""Melting: heats the chains until their images have dissolved, then cools them.

The averages begin anew then: they would show the former images and the noise for long, or forever.

What this decides becomes changes in the log, so that replay needs neither a clock nor this file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.chosen import MOST_HEAT, Heated
from ldam_studio.engine.state import SessionState
from ldam_studio.sampler.resize import resized
from ldam_studio.sampler.schedule import has_schedule

DISSOLVED = 0.3  # correlation with the image before, below which nothing of it is left to see
LEAST_S, MOST_S = 1.0, 10.0  # seconds for which the chains are hot
RAISE_S, RAISE = 1.0, 4.0  # seconds after which the heat is raised, and its factor
REST_S = 0.1  # seconds of a rest that count, so that single steps melt like steps that are seen


class Melting:
    """Watches the chains of a session that is heated: all of them, or some.

    Chains that were heated together are watched together, and cool together.

    Parameters
    ----------
    clock
        Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all: _Melt | None = None
        self._some: list[_Melt] = []
        self._chains = 0

    def before_step(self, state: SessionState) -> None:
        """Remember the images from which chains start to melt."""
        if state.heated == 1.0:
            self._all = None
        elif self._all is None:
            self._all = _Melt(state, range(len(state.lane.neurons)), self._clock())
        hot = {chain for chain, heat in enumerate(state.heats) if heat > 1}
        if self._chains != len(state.lane.neurons):
            self._chains, self._some = len(state.lane.neurons), []  # they have other numbers now
        for melt in self._some:
            melt.chains = tuple(chain for chain in melt.chains if chain in hot)
            hot -= set(melt.chains)
        self._some = [melt for melt in self._some if melt.chains]
        if hot:
            self._some.append(_Melt(state, sorted(hot), self._clock()))

    def rest(self) -> None:
        """Say that the chains have rested until now."""
        for melt in self._melts():
            melt.rest(self._clock() - REST_S)

    def after_step(self, state: SessionState) -> Sequence[Change]:
        """Return the changes that are due: more heat, or cooling."""
        changes: list[Change] = []
        now = self._clock()
        if self._all is not None and state.heated != 1.0:
            heat = self._all.next_heat(state, state.heated, now)
            if heat == 1:
                self._all = None
                changes += [Change("reset_average"), Change("heat", 1.0), *_schedules(state)]
            elif heat is not None:
                changes.append(Change("heat", heat))
        for melt in self._some if state.heats else ():
            heat = melt.next_heat(state, max(state.heats[chain] for chain in melt.chains), now)
            if heat is not None:
                changes.append(Change("heat_some", Heated(melt.chains, heat)))
        return tuple(changes)

    def _melts(self) -> list[_Melt]:
        return self._some if self._all is None else [self._all, *self._some]


class _Melt:
    """Chains that are hot since one moment, and the images that they had then."""

    def __init__(self, state: SessionState, chains: Sequence[int], now: float) -> None:
        self.chains = tuple(chains)
        self._before = tuple(lane.chains.x for lane in state.lanes)
        self._hot = self._raised = 0.0  # seconds; `_raised` is that of the last raise
        self._counted = now  # the time up to which `_hot` counts

    def rest(self, until: float) -> None:
        self._counted = max(self._counted, until)

    def next_heat(self, state: SessionState, heat: float, now: float) -> float | None:
        """Return the heat from now on: 1 to cool; None to go on as before."""
        self._hot, self._counted = self._hot + now - self._counted, now
        melted = self._hot >= LEAST_S and self._are_dissolved(state)
        if self._hot >= MOST_S or melted:
            return 1.0
        if self._hot - self._raised >= RAISE_S and heat < MOST_HEAT:
            self._raised = self._hot
            return min(heat * RAISE, MOST_HEAT)
        return None

    def _are_dissolved(self, state: SessionState) -> bool:
        pairs = list(zip(state.lanes, self._before, strict=False))
        if len(state.lanes) != len(self._before) or any(
            lane.chains.x.shape[1] != x.shape[1] for lane, x in pairs
        ):
            return True  # other networks are shown by now
        count = min(len(state.lane.chains.x), len(self._before[0]))
        moving = [i for i in self.chains if i < count and i not in state.held]
        return not moving or all(
            correlation(lane.chains.x[moving], x[moving]).mean() < DISSOLVED for lane, x in pairs
        )


def correlation(images: Tensor, before: Tensor) -> Tensor:
    """Return the correlation of the pixels of each image with one before it.

    Parameters
    ----------
    images, before
        Shapes (n, C, H, W) and (m, C, H', W'); chains without a partner are left out.

    Returns
    -------
    Tensor
        Shape (min(n, m),); 1 for images without any contrast.
    """
    count = min(len(images), len(before))
    height, width = images.shape[-2:]
    first = images[:count].flatten(1)
    second = resized(before[:count], (height, width)).flatten(1)
    first = first - first.mean(1, keepdim=True)
    second = second - second.mean(1, keepdim=True)
    size = first.norm(dim=1) * second.norm(dim=1)
    return torch.where(size > 0, (first * second).sum(1) / size.clamp_min(1e-30), 1.0)


def _schedules(state: SessionState) -> tuple[Change, ...]:
    """Return the change that runs schedules again: at their ends, steps are too small to freeze."""
    return (Change("run_schedule"),) if any(has_schedule(x.settings) for x in state.lanes) else ()
