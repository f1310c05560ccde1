"""What a second worker brings to an atlas, and what Dask takes.

One and two workers draw the same neurons, in the order one, two, two, one, so that what else the
machine does meets both. Every such pair of phases gives one ratio. Beside them the same batches are
drawn by one and two bare processes, without Dask: their ratio is what the machine itself gives. All
workers have the network open before, which is timed on its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from row import Row, mean_of

from ldam_studio.atlas import cluster, worker
from ldam_studio.atlas.batches import Job
from ldam_studio.atlas.folder import AtlasFolder
from ldam_studio.atlas.making import jobs_of, make
from ldam_studio.atlas.orders import NetworkOrder
from ldam_studio.commands import atlas as command
from ldam_studio.commands.shared import flags
from ldam_studio.commands.shared.layers import chosen

WEIGHTS = Path(os.environ.get("LDAM_DATA", "data"), "weights/squeezenet1_0_imagenet.safetensors")
TIMES, OVERHEAD = 1.8, 0.03
TRIED = 16
"""Neurons that each cluster draws before, to be warm and to see how fast it is."""


@dataclass(frozen=True)
class Case:
    """Neurons of an atlas: its title, and its words on the command line."""

    title: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Length:
    """Seconds that one worker draws in a phase, and how often one, two, two, one comes."""

    phase_s: float
    rounds: int


@dataclass(frozen=True)
class Phase:
    """One drawing of all neurons: seconds, those in which workers drew, and its batches."""

    seconds: float
    drawing_s: float
    batches: int


FULL, SHORT = Length(60, 2), Length(20, 1)


def cases() -> tuple[Case, ...]:
    """Return what is drawn. Random weights, where the trained ones are missing, take as long."""
    weights = str(WEIGHTS) if WEIGHTS.is_file() else "random:0"
    squeezenet = ("--network", "torchvision:squeezenet1_0", "--weights", weights)
    return (
        Case("LeNet", ("--network", "lenet", "--layers", "conv2", "fc1", "relu3", "fc2", "relu4")),
        Case("SqueezeNet's features.3", (*squeezenet, "--layers", "features.3")),
    )


def jobs_for(words: Sequence[str]) -> tuple[NetworkOrder, list[Job]]:
    """Return the network and the neurons that the command draws with these words."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    args = parser.parse_args([*words, "--device", "cpu"])
    network = flags.network_of(args)
    opening, jobs = NetworkOrder.of(network), list[Job]()
    for neurons in chosen(network, args.layers, args.neurons):
        jobs += jobs_of(network, command.order_of(args, network, opening, neurons), neurons)
    return opening, jobs


class Bare:
    """Processes that draw the batches which a cluster would, without Dask."""

    status = "running"

    def __init__(
        self, processes: Sequence[ProcessPoolExecutor], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._processes = {str(number): each for number, each in enumerate(processes)}
        self.loop = SimpleNamespace(asyncio_loop=loop)

    async def nthreads(self, *, asynchronous: bool) -> dict[str, int]:
        """Return a thread for each process."""
        return dict.fromkeys(self._processes, 1)

    def submit(
        self,
        _draw_batch: object,
        batch: Sequence[Job],
        folder: Path,
        *,
        collect: bool,
        workers: Sequence[str],
        **_how: bool,
    ) -> Future[Any]:
        """Let a process draw a batch."""
        return self._processes[workers[0]].submit(draw_bare, batch, folder, collect=collect)

    async def gather(self, futures: Sequence[Future[Any]], *, asynchronous: bool) -> list[Any]:
        """Return what was drawn."""
        return [future.result() for future in futures]


def draw_bare(batch: Sequence[Job], folder: Path, *, collect: bool) -> Any:
    """Draw a batch in a process that is no worker of Dask."""
    with mock.patch("distributed.get_worker", lambda: SimpleNamespace(address="bare")):
        return worker.draw_batch(batch, folder, collect=collect)


@contextmanager
def bare_processes(workers: int) -> Iterator[Bare]:
    """Run processes with one thread each."""
    spawned = get_context("spawn")
    with (
        mock.patch.dict(os.environ, {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}),
        ExitStack() as ends,
    ):
        pools = [ends.enter_context(ProcessPoolExecutor(1, spawned)) for _ in range(workers)]
        loop = asyncio.new_event_loop()
        answering = threading.Thread(target=loop.run_forever)
        answering.start()
        try:
            yield Bare(pools, loop)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            answering.join()
            loop.close()


def drawn(client: Any, jobs: Sequence[Job]) -> Phase:
    """Draw neurons into an empty folder, as the command does."""
    waiting = mock.patch("distributed.wait", wait) if isinstance(client, Bare) else ExitStack()
    with tempfile.TemporaryDirectory() as place, waiting:
        folder = AtlasFolder(Path(place) / "atlas", {})
        folder.begin(sorted({job.neuron.layer for job in jobs}))
        began = time.monotonic()
        made = list(make(client, folder, jobs, collect=False))
        seconds = time.monotonic() - began
    if (count := sum(len(batch.rows) for batch in made)) != len(jobs):
        raise RuntimeError(f"{count} of {len(jobs)} neurons were drawn")
    return Phase(seconds, sum(batch.seconds for batch in made), len(made))


def measure(*, short: bool = False) -> list[Row]:
    """Draw each case by one and two workers, with and without Dask."""
    length = SHORT if short else FULL
    return [row for case in cases() for row in _measured(case, length)]


def _measured(case: Case, length: Length) -> list[Row]:
    opening, jobs = jobs_for(case.words)
    with ExitStack() as running:
        clients: dict[str, Any] = {}
        opening_s = list[float]()
        for workers in (1, 2):
            client = running.enter_context(cluster.local_cluster(workers))
            began = time.monotonic()
            cluster.check_workers(client, opening)
            opening_s.append(time.monotonic() - began)
            clients[f"Dask {workers}"] = client
            clients[f"bare {workers}"] = running.enter_context(bare_processes(workers))
        tried = {name: drawn(client, jobs[:TRIED]) for name, client in clients.items()}
        each = tried["Dask 1"].drawing_s / len(jobs[:TRIED])
        count = min(len(jobs), max(TRIED, round(length.phase_s / each)))
        phases: dict[str, list[Phase]] = {name: [] for name in clients}
        for number in range(2 * length.rounds):
            for name in list(clients)[:: 1 if number % 2 == 0 else -1]:
                phase = drawn(clients[name], jobs[:count])
                phases[name].append(phase)
                said = f"{case.title}, {name}: {count} neurons in {phase.seconds:.1f} s"
                print(f"    {said}, {phase.batches} batches", file=sys.stderr, flush=True)
    return _rows(case, count, opening_s, phases)


def _rows(
    case: Case, count: int, opening_s: Sequence[float], phases: dict[str, list[Phase]]
) -> list[Row]:
    def ratios(first: str, second: str) -> list[float]:
        pairs = zip(phases[first], phases[second], strict=True)
        return [one.seconds / two.seconds for one, two in pairs]

    def row(name: str, values: Sequence[float], bound: str = "") -> Row:
        mean, interval = mean_of(values)
        return Row(f"atlas of {case.title}: {name}", mean, bound, interval)

    def rates(name: str) -> list[float]:
        return [60 * count / phase.seconds for phase in phases[name]]

    ones = phases["Dask 1"]
    away = [1 - phase.drawing_s / phase.seconds for phase in ones]
    each = [(phase.seconds - phase.drawing_s) / phase.batches for phase in ones]
    return [
        row("two workers, times one", ratios("Dask 1", "Dask 2"), f">= {TIMES}"),
        row("two bare processes without Dask, times one", ratios("bare 1", "bare 2")),
        row("share of a worker's time outside batches", away, f"<= {OVERHEAD}"),
        row("the same for each batch, ms", [1000 * value for value in each]),
        row("seconds of one worker, times a bare process", ratios("Dask 1", "bare 1")),
        row("neurons per minute, one worker", rates("Dask 1")),
        row("neurons per minute, two workers", rates("Dask 2")),
        row("opening the network on a worker, s", opening_s[:1]),
        row("opening the network on two workers at once, s", opening_s[1:]),
    ]
