"""What atlases of whole networks cost: seconds per neuron, core-hours, and a thousand workers.

Seconds per neuron are measured in three layers of each network, as an atlas draws them: in batches,
with the usual settings, on as many workers as there are cores. They are the processor time of the
worker, which another program beside it changes little. The whole network is every layer
with a matrix of its own (convolutions and linear maps), without what is between them.

A layer that was not measured lies between measured ones by the processor time of a step, of which a
few are taken in every layer. Below the cheapest and above the dearest of the measured ones it
counts as that one.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import many_workers
import numpy as np
import torch
from atlas_speed import WEIGHTS, jobs_for
from rich import box
from rich.console import Console
from rich.table import Table
from row import Row, mean_of

from ldam_studio.atlas import cluster, worker
from ldam_studio.atlas.batches import MOST, TASK_S, Job
from ldam_studio.engine.advance import advance
from ldam_studio.engine.session import open_session
from ldam_studio.networks.network import Network

HERE = Path(__file__).parent
HOUR_S = 3600.0
STEPS = 5
"""Steps that are timed in every layer; the fastest counts, as other programs disturb some."""
FIRST = 1
"""Neurons of the first batch of a layer, from which the size of the others follows."""
CLUSTER = 1000
"""Workers for which the whole network's hours are said."""


@dataclass(frozen=True)
class Plan:
    """A network: its title, its words on the command line, and the layers to measure."""

    title: str
    words: tuple[str, ...]
    layers: tuple[str, str, str]


@dataclass(frozen=True)
class Length:
    """Batches of each measured layer that count, and seconds that one of them should take."""

    batches: int
    seconds: float


@dataclass(frozen=True)
class Batch:
    """A batch that was drawn: processor time of its worker, and the steps of each neuron."""

    seconds: float
    steps: Sequence[int]


@dataclass(frozen=True)
class Measured:
    """A layer: processor seconds of a neuron, their interval, its mean steps, seconds of a step."""

    seconds: float
    interval: tuple[float, float]
    steps: float
    step_s: float


FULL, SHORT = Length(6, TASK_S), Length(3, TASK_S / 4)


def plans() -> tuple[Plan, ...]:
    """Return what is measured. Where there are no trained weights, random ones are drawn."""

    def weights(name: str) -> tuple[str, str]:
        path = WEIGHTS.with_name(name)
        return "--weights", str(path) if path.is_file() else "random:0"

    resnet50 = f"{HERE / 'resnet50_v1.py'}:resnet50_v1"
    return (
        Plan(
            "SqueezeNet",
            ("--network", "torchvision:squeezenet1_0", *weights(WEIGHTS.name)),
            ("features.3.expand3x3", "features.7.expand3x3", "classifier.1"),
        ),
        Plan(
            "ResNet-18",
            ("--network", "torchvision:resnet18", *weights("resnet18_imagenet.safetensors")),
            ("layer1.1.conv2", "layer3.1.conv2", "fc"),
        ),
        Plan(
            "ResNet-50",
            ("--network", resnet50, *weights("resnet50_v1_imagenet.safetensors")),
            ("layer1.2.conv3", "layer3.2.conv3", "fc"),
        ),
    )


def measure(*, short: bool = False, price: float | None = None) -> list[Row]:
    """Measure all networks, print the table of the guide, and drive a scheduler.

    Parameters
    ----------
    price
        What an hour of one core costs; the table then has what the whole network costs.
    """
    head = ["network", "layer", "chains", "steps", "s per neuron (95 %)", "neurons"]
    head += ["whole network", "core-hours", f"hours, {CLUSTER:,} workers"]
    table = Table(*head, *(["cost"] if price is not None else []), box=box.MARKDOWN)
    rows = list[Row]()
    for plan in plans():
        rows += _planned(plan, SHORT if short else FULL, table, price)
    Console(width=200).print(table)
    return [*rows, *many_workers.measure(short=short)]


def _planned(plan: Plan, length: Length, table: Table, price: float | None) -> list[Row]:
    title = plan.title + (", random weights" if "random:0" in plan.words else "")
    opening, jobs = jobs_for([*plan.words, "--layers", "*"])
    network = opening.request.open()
    layers = {name: each for name, each in _by_layer(jobs).items() if _has_matrix(network, name)}
    print(f"    {title}: steps in {len(layers)} layers ...", file=sys.stderr, flush=True)
    steps_s = {name: step_s(network, each[0]) for name, each in layers.items()}
    with cluster.local_cluster(cluster.cores()) as client:
        cluster.check_workers(client, opening)
        measured = {
            name: _timed(client, layers[name], length, steps_s[name]) for name in plan.layers
        }
    known = sorted(measured.values(), key=lambda each: each.step_s)
    counts = np.array([len(each) for each in layers.values()])

    def hours(seconds: Sequence[float]) -> float:
        each = np.interp(list(steps_s.values()), [one.step_s for one in known], seconds)
        return float(counts @ each) / HOUR_S

    middle = hours([one.seconds for one in known])
    low, high = (hours([one.interval[end] for one in known]) for end in (0, 1))
    whole = [
        f"{counts.sum():,} neurons of {len(layers)} layers",
        f"{middle:.3g} ({low:.3g} to {high:.3g})",
        f"{middle / CLUSTER:.2g}",
        *([f"{middle * price:.3g}"] if price is not None else []),
    ]
    for number, (name, one) in enumerate(measured.items()):
        seconds = f"{one.seconds:.3g} ({one.interval[0]:.3g} to {one.interval[1]:.3g})"
        own = [str(jobs[0].order.chains), f"{one.steps:.0f}", seconds, str(len(layers[name]))]
        cells = whole if number == 0 else [""] * len(whole)
        table.add_row(title if number == 0 else "", f"`{name}`", *own, *cells)
    return [
        *(
            Row(f"{title}: {name}, s of a core for each neuron", *_ends(one))
            for name, one in measured.items()
        ),
        Row(f"{title}: all {counts.sum():,} neurons, core-hours", middle, "", (low, high)),
    ]


def _ends(one: Measured) -> tuple[float, str, tuple[float, float]]:
    return one.seconds, "", one.interval


def _by_layer(jobs: Sequence[Job]) -> dict[str, list[Job]]:
    layers: dict[str, list[Job]] = {}
    for job in jobs:
        layers.setdefault(job.neuron.layer, []).append(job)
    return layers


def _has_matrix(network: Network, layer: str) -> bool:
    module = network.module.get_submodule(network.layer(layer).path)
    weight = getattr(module, "weight", None)
    return isinstance(weight, torch.Tensor) and weight.ndim > 1


def step_s(network: Network, job: Job) -> float:
    """Return the processor time of one step of a neuron, all its chains together, on one thread.

    Its images have their full size, to which a schedule comes only after some time.
    """
    order = replace(job.order, settings=job.order.settings.with_values({"schedule": 0}))
    state = open_session(order.spec(network, [job.neuron]).session(job.neuron))
    advance(state)
    times = list[float]()
    for _ in range(STEPS):
        began = time.process_time()
        advance(state)
        times.append(time.process_time() - began)
    return min(times)


def timed_batch(jobs: Sequence[Job]) -> Batch:
    """Draw neurons on a worker, and let nothing be written."""
    began = time.process_time()
    drawn = worker.draw_batch(jobs, Path.cwd(), collect=True)
    return Batch(time.process_time() - began, [row.steps for row in drawn.rows])


def _timed(client: Any, jobs: Sequence[Job], length: Length, each_s: float) -> Measured:
    """Draw some neurons of a layer, on all workers at once, in batches as long as an atlas's."""
    numbers, workers = random.Random(0), len(client.nthreads())

    def batches(count: int, size: int) -> list[Batch]:
        futures = [
            client.submit(timed_batch, numbers.sample(jobs, size), pure=False) for _ in range(count)
        ]
        drawn: list[Batch] = client.gather(futures)
        return drawn

    size, drawn = FIRST, batches(workers, FIRST)
    for _ in range(2):  # neurons that are drawn together are faster, so that more of them fit
        each = np.mean([one.seconds for one in drawn]) / size
        fitting = int(np.clip(length.seconds / each, 1, min(MOST, len(jobs))))
        if fitting == size:
            break
        size, drawn = fitting, batches(workers, fitting)
    drawn += batches(length.batches - len(drawn), size)
    mean, interval = mean_of([each.seconds / len(each.steps) for each in drawn])
    assert interval is not None
    interval = max(0.0, interval[0]), interval[1]
    steps = float(np.mean([count for each in drawn for count in each.steps]))
    said = f"{jobs[0].neuron.layer}: {mean:.3g} s for each neuron, {1000 * each_s:.3g} ms a step"
    print(f"    {said}, {size} in a batch", file=sys.stderr, flush=True)
    return Measured(mean, interval, steps, each_s)
