"""Cutting the neurons of an atlas into batches that take about as long as each other.

What a neuron looks like does not depend on its batch, whose neurons share the network that a worker
has open. The worker draws some of them together where that is faster, and decides how many fit into
its memory (`explore.sheets.together`), so that only time limits a batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
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
    """Hands out batches, whose sizes follow the seconds that neurons took.

    A worker stays with a layer as long as it can, and begins with one that no other worker has,
    because each has to find out how many neurons of a layer it best draws together.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._layers: dict[str, deque[Job]] = {}
        for job in jobs:
            self._layers.setdefault(job.neuron.layer, deque()).append(job)
        self._who: dict[str, set[str]] = {layer: set() for layer in self._layers}
        self._seconds: dict[str, float] = {}
        self._last: float | None = None
        self._under_way = 0

    def __len__(self) -> int:
        """Return how many neurons are left."""
        return sum(map(len, self._layers.values()))

    def take(self, worker: str, workers: int) -> tuple[Job, ...]:
        """Return the next batch for a worker, one of so many; empty if none is left, or is to wait.

        All of a batch are of one layer. It is a single neuron until it is known how long one takes.
        Until then none waits, since neurons on their own take longest. Towards the end batches
        become smaller, so that all workers end together.
        """
        left = [layer for layer, jobs in self._layers.items() if jobs]
        if not left or (self._last is None and self._under_way >= workers):
            return ()
        layer = self._layer_for(worker, left)
        jobs = self._layers[layer]
        most = self._fitting(layer, TASK_S)
        share = max(-(-len(self) // (AHEAD * workers)), self._fitting(layer, LEAST_S))
        size = max(1, min(MOST, most, share, len(jobs)))
        self._who[layer].add(worker)
        self._under_way += 1
        return tuple(jobs.popleft() for _ in range(size))

    def _layer_for(self, worker: str, left: Sequence[str]) -> str:
        """Return the worker's own layer, else a new one, else that with most neurons for each."""
        own = (layer for layer in left if worker in self._who[layer])
        new = (layer for layer in left if not self._who[layer])
        fullest = max(
            left, key=lambda layer: len(self._layers[layer]) / (1 + len(self._who[layer]))
        )
        return next(own, None) or next(new, None) or fullest

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
