"""Dask's scheduler and our own client with a thousand workers that only seem to draw.

Scheduler, client and messages are the real ones, and so are the workers (`distributed.Worker`,
each with a connection and heartbeats of its own), except that all are in one process and that a
batch is answered after some time with results of the usual size. What is measured is therefore how
many batches a second one scheduler and one client hand out and take back.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
from atlas_speed import jobs_for
from PIL import Image
from row import Row, mean_of

from ldam_studio.atlas import worker
from ldam_studio.atlas.batches import AHEAD, TASK_S, Job
from ldam_studio.atlas.cluster import scheduler_at
from ldam_studio.atlas.folder import AtlasFolder, relative_path
from ldam_studio.atlas.making import make
from ldam_studio.atlas.pictures import ROW, AtlasRow, sealed

WORKERS = 1000
FASTEST = 4000
"""Neurons per second that are prepared, if drawing them takes no time."""
EACH_S = 2.0
"""Seconds that a neuron seems to take, so that ten are a batch."""
FILE_BYTES = 30_000
"""A neuron's file of SqueezeNet's, about."""
START_S = 180.0
AT_ONCE = 50
"""Workers that connect at the same time."""
WINDOWS = 6
"""Parts of a run, each of which gives one rate."""
QUIET = {  # what each worker looks after, which is another machine's work
    "distributed.admin.tick.interval": "10s",
    "distributed.admin.tick.limit": "1h",
    "distributed.admin.system-monitor.interval": "60s",
    "distributed.worker.profile.enabled": False,
}


@dataclass(frozen=True)
class Pretence:
    """How workers seem to draw: seconds that they wait for a neuron, and bytes of its file."""

    waited_s: float
    file_bytes: int


def work(address: str, count: int, pretence: Pretence, ready: Any) -> None:
    """Be workers of a scheduler, until the process is ended."""
    import dask

    logging.disable()
    with dask.config.set(QUIET), tempfile.TemporaryDirectory() as place:
        worker.draw_batch = _pretending(pretence)
        asyncio.run(_work(address, count, Path(place), ready))


async def _work(address: str, count: int, place: Path, ready: Any) -> None:
    from distributed import Worker

    workers = [
        Worker(address, nthreads=1, name=number, memory_limit=0, dashboard=False,
               local_directory=str(place), host="127.0.0.1")
        for number in range(count)
    ]  # fmt: skip
    for first in range(0, count, AT_ONCE):
        await asyncio.gather(*workers[first : first + AT_ONCE])
    ready.set()
    await asyncio.Event().wait()


def _pretending(pretence: Pretence) -> Any:
    random_numbers, noise = random.Random(0), _noise(pretence.file_bytes)

    async def draw_batch(batch: Sequence[Job], folder: Path, *, collect: bool) -> worker.Drawn:
        seconds = EACH_S * len(batch) * random_numbers.uniform(0.75, 1.25)
        await asyncio.sleep(seconds * pretence.waited_s / EACH_S)
        rows = tuple(
            AtlasRow(
                neuron=str(job.neuron), label="a label of a neuron", activation=1.2345678,
                converged=True, silent=False, steps=300, chain=2, agreement=0.12345,
                layer=job.neuron.layer, key=job.key, modes=3,
            )
            for job in batch
        )  # fmt: skip
        files = dict[Path, bytes]()
        if collect:
            for job, row in zip(batch, rows, strict=True):
                files[relative_path(job.neuron, job.key)] = _file_of(row, noise)
        return worker.Drawn(rows, (), (), files, seconds)

    return draw_batch


def _noise(size: int) -> bytes:
    """Return a PNG file of noise, of about so many bytes."""
    side, file = max(1, round((size / 3) ** 0.5)), BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _file_of(row: AtlasRow, picture: bytes) -> bytes:
    """Return the file of a neuron, which is read as any is when it arrives."""
    text = b"tEXt" + ROW.encode() + b"\0" + msgspec.json.encode(row)
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    return sealed(picture[:33] + chunk + picture[33:])


@contextmanager
def scheduler(place: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Run Dask's scheduler as its command does; yield its address and process."""
    file = place / "scheduler.json"
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    process = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + START_S
        while not file.is_file() and time.monotonic() < until:
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"], psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def workers_of(address: str, count: int, pretence: Pretence) -> Iterator[None]:
    """Run workers that only seem to draw, all in one process."""
    context = get_context("spawn")
    ready = context.Event()
    process = context.Process(target=work, args=(address, count, pretence, ready))
    process.start()
    try:
        if not ready.wait(START_S):
            raise RuntimeError(f"{count} workers did not start in {START_S:.0f} s")
        yield
    finally:
        process.terminate()
        process.join()


def many_jobs(count: int) -> list[Job]:
    """Return neurons to draw with the messages of real ones; only their numbers are made up."""
    _, (first, *_) = jobs_for(("--network", "lenet", "--layers", "fc1"))
    return [
        replace(first, neuron=replace(first.neuron, index=number), key=f"{number:024x}")
        for number in range(count)
    ]


@dataclass(frozen=True)
class Handled:
    """What was done in a run.

    Attributes
    ----------
    rates
        Batches per second, in each part of the run.
    scheduler_ms, client_ms
        Processor time for each batch.
    busy
        Share of their time in which workers seemed to draw, in each part of the run. Batches count
        where they end, so that it may be above 1 in one part and below it in the next.
    """

    rates: tuple[float, ...]
    scheduler_ms: float
    client_ms: float
    busy: tuple[float, ...]


def handled(workers: int, seconds: float, pretence: Pretence) -> Handled:
    """Let workers seem to draw for that long, after each had some batches."""
    rate = workers / pretence.waited_s if pretence.waited_s else FASTEST
    warming_s = 2 * TASK_S if pretence.waited_s else 0.0
    neurons = round(rate * (warming_s + seconds) + 2 * AHEAD * workers * TASK_S / EACH_S)
    jobs, first = many_jobs(AHEAD * workers + neurons), AHEAD * workers
    with tempfile.TemporaryDirectory() as place, scheduler(Path(place)) as (address, process):
        folder = AtlasFolder(Path(place) / "atlas", {})
        folder.begin(["fc1"])
        with workers_of(address, workers, pretence), scheduler_at(address) as client:
            collect = bool(pretence.file_bytes)
            list(make(client, folder, jobs[:first], collect=collect))
            making = make(client, folder, jobs[first:], collect=collect)
            start = time.monotonic() + warming_s
            for _ in making:
                if time.monotonic() >= start:
                    break
            before, own, began = _processor_s(process), time.process_time(), time.monotonic()
            ends, drawing_s = list[float](), 0.0
            for batch in making:
                ends.append(time.monotonic() - began)
                drawing_s += batch.seconds * pretence.waited_s / EACH_S
                if ends[-1] > seconds:
                    break
            own_ms = 1000 * (time.process_time() - own) / len(ends)
            scheduler_ms = 1000 * (_processor_s(process) - before) / len(ends)
            making.close()
    counts, _ = np.histogram(ends, WINDOWS, (0, ends[-1]))
    rates = tuple(float(count) * WINDOWS / ends[-1] for count in counts)
    busy = tuple(each * drawing_s / len(ends) / workers for each in rates)
    return Handled(rates, scheduler_ms, own_ms, busy)


def _processor_s(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))


def measure(*, short: bool) -> list[Row]:
    """Drive a scheduler: as fast as it goes, with files that travel back, and at the usual pace."""
    workers, seconds, usual_s = (200, 6, 40) if short else (WORKERS, 30, 180)
    needed = workers / TASK_S
    fast = handled(workers, seconds, Pretence(0, 0))
    files = handled(workers, seconds, Pretence(0, FILE_BYTES))
    share, interval = mean_of(handled(workers, usual_s, Pretence(EACH_S, 0)).busy)

    def row(name: str, value: float, bound: str = "") -> Row:
        return Row(f"{workers} workers: {name}", value, bound)

    def rate(name: str, run: Handled) -> Row:
        mean, interval = mean_of(run.rates)
        return Row(f"{workers} workers: {name}", mean, f">= {needed:g}", interval)

    return [
        rate("batches a second, if drawing takes no time", fast),
        rate("the same, with files that travel back", files),
        row("batches a second that they need", needed),
        row("scheduler, processor ms for each batch", fast.scheduler_ms),
        row("client, processor ms for each batch", fast.client_ms),
        row("client, the same with files that travel back", files.client_ms),
        Row(f"{workers} workers: share of their time that they draw", share, "", interval),
    ]
