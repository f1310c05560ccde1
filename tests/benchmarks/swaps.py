"""What swapping a checkpoint in costs a running session, and how long it takes to be ready."""

from __future__ import annotations

import math
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from row import Row

from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState
from ldam_studio.engine.watching.reader import take
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.weights.checkpoint_folder import Folder
from ldam_studio.sampler.settings import Settings
from ldam_studio.training import CheckpointWriter

SWAPS = 10
AFTER = 3  # steps after a swap whose delay is counted as its cost
BETWEEN = 6  # steps between two swaps
MANY, LOOKS = 2000, 5


def measure() -> list[Row]:
    """Swap weights under ten chains of each network, then list very many checkpoints."""
    torch.set_num_threads(1)
    rows = [*_swaps("LeNet", open_network("lenet")), *_swaps("VGG", open_network("vgg"))]
    with TemporaryDirectory() as folder:
        rows += _listing(Path(folder))
    return rows


def _swaps(what: str, network: Network) -> list[Row]:
    spec = SessionSpec(
        network, network.default_neurons(10), Settings(), device=choose("cpu", threads=1)
    )
    state = open_session(spec)
    with TemporaryDirectory() as folder:
        writer = CheckpointWriter(folder)
        for step in (1, 2):
            writer.write(network.module, step=step)
        listed = Folder(Path(folder)).look().checkpoints
        made, twins = [], []
        for number in range(SWAPS):
            started = time.perf_counter()
            twins.append(take(network, [listed[number % 2]]))
            made.append(time.perf_counter() - started)
    for _ in range(5 * BETWEEN):
        state, _ = _timed(state)
    costs = []
    for twin in twins:
        normal = []
        for _ in range(BETWEEN):
            state, seconds = _timed(state)
            normal.append(seconds)
        step = median(normal)
        spent = []
        for number in range(1 + AFTER):
            state, seconds = _timed(state, twin if number == 0 else None)
            spent.append(seconds)
        costs.append((sum(spent) - len(spent) * step) / step)
    return [
        Row(f"swap of weights, {what}: cost in steps, median", median(costs), "<= 3"),
        Row(f"checkpoint to network, {what}, beside the chains: ms", 1000 * median(made)),
    ]


def _timed(state: SessionState, twin: Network | None = None) -> tuple[SessionState, float]:
    changes = [] if twin is None else [Change("weights", twin)]
    started = time.perf_counter()
    state, _ = advance(state, changes)
    return state, time.perf_counter() - started


def _listing(folder: Path) -> list[Row]:
    source = CheckpointWriter(folder).write(open_network("lenet").module, step=0)
    data = source.read_bytes()
    for step in range(1, MANY):
        (folder / f"checkpoint-{step:08d}.safetensors").write_bytes(data)
    # Files that somebody wrote a while ago, as those of a training that is over.
    watched = Folder(folder, now=lambda: math.inf)
    started = time.perf_counter()
    assert len(watched.look().checkpoints) == MANY
    first, again = time.perf_counter() - started, []
    for _ in range(LOOKS):
        started = time.perf_counter()
        watched.look()
        again.append(time.perf_counter() - started)
    return [
        Row(f"{MANY:,} checkpoints listed, ms", 1000 * first, "<= 1000"),
        Row("the same once more, ms", 1000 * median(again)),
    ]
