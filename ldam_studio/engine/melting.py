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
from ldam_studio.engine.changes.rules import MOST_HEAT
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler.resize import resized

DISSOLVED = 0.3  # correlation with the image before, below which nothing of it is left to see
LEAST_S, MOST_S = 1.0, 10.0  # seconds for which the chains are hot
RAISE_S, RAISE = 1.0, 4.0  # seconds after which the heat is raised, and its factor
REST_S = 0.1  # seconds of a rest that count, so that single steps melt like steps that are seen


class Melting:
    """Watches the chains of a session that is heated.

    Parameters
    ----------
    clock
        Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._before: tuple[Tensor, ...] = ()
        self._hot = self._raised = 0.0  # seconds; `_raised` is that of the last raise
        self._counted = 0.0  # the time up to which `_hot` counts

    def before_step(self, state: SessionState) -> None:
        """Remember the images from which the chains start to melt."""
        if state.heated == 1.0:
            self._before = ()
        elif not self._before:
            self._before = tuple(lane.chains.x for lane in state.lanes)
            self._hot = self._raised = 0.0
            self._counted = self._clock()

    def rest(self) -> None:
        """Say that the chains have rested until now."""
        self._counted = max(self._counted, self._clock() - REST_S)

    def after_step(self, state: SessionState) -> Sequence[Change]:
        """Return the changes that are due: more heat, or cooling."""
        if not self._before or state.heated == 1.0:
            return ()
        now = self._clock()
        self._hot, self._counted = self._hot + now - self._counted, now
        melted = self._hot >= LEAST_S and self._are_dissolved(state.lanes)
        if self._hot >= MOST_S or melted:
            self._before = ()
            return (Change("reset_average"), Change("heat", 1.0), *_schedules(state))
        if self._hot - self._raised >= RAISE_S and state.heated < MOST_HEAT:
            self._raised = self._hot
            return (Change("heat", min(state.heated * RAISE, MOST_HEAT)),)
        return ()

    def _are_dissolved(self, lanes: Sequence[Lane]) -> bool:
        pairs = list(zip(lanes, self._before, strict=False))
        if len(lanes) != len(self._before) or any(
            lane.chains.x.shape[1] != x.shape[1] for lane, x in pairs
        ):
            return True  # other networks are shown by now
        return all(correlation(lane.chains.x, x).mean() < DISSOLVED for lane, x in pairs)


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
    return (Change("run_schedule"),) if any(x.settings.schedule for x in state.lanes) else ()
