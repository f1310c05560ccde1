"""When the picture of a neuron has converged, and which of its chains shows it."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

from ldam_studio.engine.state import Lane, SessionState

EVERY = 10
"""Steps between two looks at a neuron's chains."""
BACK = 2
"""Looks over which a picture must stay the same."""
LEAST = 20
"""Samples that a converged average has at least."""
CHANGE = 0.1
"""Largest change of a converged picture, as a share of its distance from the rest colour."""


class Settling:
    """Follows the averages of one neuron's chains until the best of them has converged.

    It has converged once its chain is burned in, its schedule is over, it has at least `LEAST`
    samples, and the root-mean-square by which it changed in the last `EVERY` x `BACK` steps is at
    most `CHANGE` times its distance from the rest colour. Only pixels that the neuron sees count.
    """

    def __init__(self) -> None:
        self._past: deque[Tensor] = deque(maxlen=BACK + 1)

    def look(self, state: SessionState) -> bool:
        """Return whether the picture has converged; to be called every `EVERY` steps."""
        lane = state.lane
        now = seen_averages(lane)
        if self._past and self._past[0].shape != now.shape:
            self._past.clear()  # a schedule has changed the resolution
        self._past.append(now)
        if len(self._past) <= BACK or lane.clock.steps < lane.settings.schedule:
            return False
        if not bool(lane.progress.done.any()):
            return False
        chain = best_chain(lane)
        if not bool(lane.progress.done[chain]) or int(lane.shown_average().count[chain]) < LEAST:
            return False
        apart = torch.linalg.vector_norm(now[chain] - self._past[0][chain])
        return bool(apart <= CHANGE * torch.linalg.vector_norm(now[chain]))


@torch.no_grad()
def seen_averages(lane: Lane) -> Tensor:
    """Return the averages as distances from rest, (chains, C, h, w), where the neuron sees them."""
    mean = lane.shown_average().mean - lane.network.pixels.rest
    box = lane.targets.fields[0]
    if box is not None:
        top, left, bottom, right = box
        mean = mean[:, :, top:bottom, left:right]
    return mean


@torch.no_grad()
def best_chain(lane: Lane) -> int:
    """Return the number of the chain whose average excites the neuron most.

    Chains that are burned in come before those that are not.
    """
    value = lane.activation(lane.shown_average().mean)
    order = list(zip(lane.progress.done.tolist(), value.tolist(), strict=True))
    return max(range(len(order)), key=order.__getitem__)


@torch.no_grad()
def agreement(lane: Lane) -> float | None:
    """Return how alike the chains' averages are: the mean cosine of all pairs, from -1 to 1.

    None for a single chain, and for averages that are the rest colour everywhere.
    """
    flat = seen_averages(lane).flatten(1)
    chains = len(flat)
    norms = torch.linalg.vector_norm(flat, dim=1, keepdim=True)
    if chains < 2 or not bool((norms > 0).all()):
        return None
    unit = flat / norms
    total = float((unit.sum(dim=0) ** 2).sum())
    return (total - chains) / (chains * (chains - 1))
