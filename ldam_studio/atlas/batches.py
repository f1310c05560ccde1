"""Cutting the neurons of an atlas into batches that take about as long as each other.

What a neuron looks like does not depend on its batch, whose neurons share the network that a worker
has open. The worker draws some of them together where that is faster, and decides how many fit into
its memory (`explore.sheets.together`), so that only time limits a batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from ldam_studio.atlas.orders import Order
from ldam_studio.networks.neurons import Neuron

TASK_S = 20.0
"""Seconds that a batch should take: long beside the scheduler's work, short if it is lost."""
MOST = 256
"""Neurons of a batch, which travel back together."""
LEAST_S = 1.0
"""Seconds that a batch takes at least, also towards the end, since neurons drawn together are
faster."""
UNKNOWN = 0.25
"""Share of the neurons that the layer before would get, for a layer of which nothing is known."""
AHEAD = 2
"""Batches for each worker: one that is drawn, and one that waits."""


@dataclass(frozen=True)
class Job:
    """A neuron to draw, how, and the key of its file.

    Attributes
    ----------
    former
        The key under which earlier versions wrote the same picture; None if it is the same.
    """

    order: Order
    neuron: Neuron
    key: str
    former: str | None = None


class Batches:
    """Hands out batches, layer after layer; their sizes follow the seconds that neurons took."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._layers: dict[str, deque[Job]] = {}
        for job in jobs:
            self._layers.setdefault(job.neuron.layer, deque()).append(job)
        self._seconds: dict[str, float] = {}
        self._last: float | None = None
        self._under_way = 0

    def __len__(self) -> int:
        """Return how many neurons are left."""
        return sum(map(len, self._layers.values()))

    def take(self, workers: int) -> tuple[Job, ...]:
        """Return the next batch, of one layer; empty if none is left, or none is to wait.

        A batch of the first layer is a single neuron until it is known how long one takes. Until
        then none waits, since neurons on their own take longest. Towards the end batches become
        smaller, so that all workers end together.
        """
        if self._last is None and self._under_way >= workers:
            return ()
        for layer, jobs in self._layers.items():
            if jobs:
                most = self._fitting(layer, TASK_S)
                share = max(-(-len(self) // (AHEAD * workers)), self._fitting(layer, LEAST_S))
                size = max(1, min(MOST, most, share, len(jobs)))
                self._under_way += 1
                return tuple(jobs.popleft() for _ in range(size))
        return ()

    def learn(self, layer: str, drawn: int, seconds: float) -> None:
        """Note how long a batch took that was under way, and how many neurons were drawn."""
        self._under_way -= 1
        if drawn:
            self._seconds[layer] = self._last = seconds / drawn

    def _fitting(self, layer: str, seconds: float) -> int:
        """Return how many neurons of a layer are drawn in so many seconds."""
        each = self._seconds.get(layer)
        if each is not None:
            return int(seconds / max(each, 1e-3))
        return 1 if self._last is None else int(UNKNOWN * seconds / max(self._last, 1e-3))
