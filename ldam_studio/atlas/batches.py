"""Cutting the neurons of an atlas into batches that take about as long as each other.

Each neuron is a session of its own, because chains of one session share a generator: with other
neurons beside it, a neuron would get other noise, and its picture would depend on its batch. A
batch is therefore several sessions, one after the other, which share the network that a worker has
open. Its memory is that of one session, however long it is, so that only time limits it.
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
AHEAD = 2
"""Batches for each worker: one that is drawn, and one that waits."""


@dataclass(frozen=True)
class Job:
    """A neuron to draw, how, and the key of its file."""

    order: Order
    neuron: Neuron
    key: str


class Batches:
    """Hands out batches, layer after layer; their sizes follow the seconds that neurons took."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._layers: dict[str, deque[Job]] = {}
        for job in jobs:
            self._layers.setdefault(job.neuron.layer, deque()).append(job)
        self._seconds: dict[str, float] = {}

    def __len__(self) -> int:
        """Return how many neurons are left."""
        return sum(map(len, self._layers.values()))

    def take(self, workers: int) -> tuple[Job, ...]:
        """Return the next batch, of one layer; empty if none is left.

        A batch is a single neuron until it is known how long one of its layer takes. Towards the
        end batches become smaller, so that all workers end together.
        """
        for layer, jobs in self._layers.items():
            if jobs:
                share = -(-len(self) // (AHEAD * workers))
                size = max(1, min(MOST, self._fitting(layer), share, len(jobs)))
                return tuple(jobs.popleft() for _ in range(size))
        return ()

    def learn(self, layer: str, drawn: int, seconds: float) -> None:
        """Note how long a batch took."""
        if drawn:
            self._seconds[layer] = seconds / drawn

    def _fitting(self, layer: str) -> int:
        each = self._seconds.get(layer)
        return 1 if each is None else int(TASK_S / max(each, 1e-3))
