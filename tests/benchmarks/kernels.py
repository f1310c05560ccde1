"""Effective samples of the activation per second of processor time, for each kernel.

All run in mode exact for the same processor time of one thread. Kernels that reject nothing share
a step size; that of mala is one at which it accepts most of its proposals. Chains start from the
law that L2 alone has, and the first quarter of a run is left out. Where the chains of a run do not
agree (R-hat above `AGREE`), its effective samples mean nothing: the table says "stuck".
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from row import Row
from step import squeezenet

from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

AGREE = 1.1
"""R-hat up to which chains count as samples of one density."""
LEFT_OUT = 4
"""One in so many steps, at the beginning, is left out."""
CLASS = 3


@dataclass(frozen=True)
class Case:
    """A class neuron of a network at one temperature; mala has a step size of its own."""

    network: str
    temperature: float
    step_size: float
    of_mala: float
    seconds: float
    seeds: int = 3
    chains: int = 8
    rungs: int = 8
    ladders: int = 2

    @property
    def title(self) -> str:
        """The case in words."""
        return f"{self.network}, temperature {self.temperature:g}"


CASES = (
    Case("LeNet fc3", 1.0, 0.1, 0.1, seconds=5),
    Case("LeNet fc3", 0.1, 0.1, 0.03, seconds=20, rungs=16),
    Case("VGG (CIFAR-10)", 1.0, 0.1, 0.05, seconds=12),
    Case("SqueezeNet", 1.0, 0.1, 0.003, seconds=45, seeds=2, chains=4, rungs=4),
)


@dataclass(frozen=True)
class Way:
    """A kernel with its friction, and whether chains are tempered."""

    name: str
    settings: dict[str, Any]
    tempered: bool = False


WAYS = (
    Way("langevin", {"kernel": "langevin"}),
    *(
        Way(f"underdamped, friction {friction:g}", {"kernel": "underdamped", "friction": friction})
        for friction in (0.1, 0.3, 1.0, 3.0)
    ),
    Way("mala", {"kernel": "mala"}),
    Way(
        "underdamped, friction 0.3, tempered",
        {"kernel": "underdamped", "friction": 0.3},
        tempered=True,
    ),
)


@dataclass
class Found:
    """What the runs of one way found, one value for each seed."""

    per_second: list[float] = field(default_factory=list)
    r_hat: list[float] = field(default_factory=list)
    activation: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)

    @property
    def stuck(self) -> bool:
        """Whether chains disagree."""
        return mean(self.r_hat) > AGREE

    def cells(self) -> tuple[str, ...]:
        """Return the cells of a line of the table."""
        low, high = min(self.per_second), max(self.per_second)
        rate = f"{mean(self.per_second):.3g} ({low:.3g} to {high:.3g})"
        accepted = f"{100 * mean(self.accepted):.0f} %" if self.accepted else ""
        shown = f"{mean(self.activation):.3g}"
        return "stuck" if self.stuck else rate, f"{mean(self.r_hat):.2f}", shown, accepted


def measure() -> list[Row]:
    """Measure all kernels on all networks, and print the table of the guide."""
    torch.set_num_threads(1)
    rows, lines = [], []
    for case in CASES:
        network = _network(case)
        found: dict[str, Found] = {}
        for way in WAYS:
            found[way.name] = of_way = Found()
            for seed in range(case.seeds):
                _run(network, case, way, seed, of_way)
            lines.append((case.title, way.name, *of_way.cells()))
            print(" | ".join(lines[-1]), file=sys.stderr, flush=True)
            if not of_way.stuck:
                name = f"{case.title}, {way.name}: effective samples/s"
                rows.append(Row(name, mean(of_way.per_second)))
        rows += _ratios(case, found)
    print("\n".join(_table(lines)))
    return rows


def _network(case: Case) -> Network:
    if case.network == "SqueezeNet":
        return squeezenet()
    return open_network("lenet" if case.network.startswith("LeNet") else "vgg")


def _run(network: Network, case: Case, way: Way, seed: int, found: Found) -> None:
    """Run chains of one neuron for the case's processor time, and count effective samples."""
    from arviz_stats.base import array_stats

    neuron = Neuron(network.class_layer.name, CLASS)
    values = {"mode": "exact", "l2": 0.5, "threshold": 0.0, "burn_in": 0} | way.settings
    step_size = case.of_mala if values["kernel"] == "mala" else case.step_size
    spread = math.sqrt(case.temperature / (2 * values["l2"]))
    values |= {"temperature": case.temperature, "step_size": step_size, "start_spread": spread}
    chains = case.ladders * case.rungs if way.tempered else case.chains
    settings = Settings.of(**values, tempering=case.rungs if way.tempered else 0)
    device = choose("cpu", threads=1)
    state = open_session(SessionSpec(network, (neuron,) * chains, settings, seed, device=device))
    own, activations, accepted = state.lane.own_chains, [], []
    started = time.process_time()
    while (spent := time.process_time() - started) < case.seconds:
        state, info = advance(state)
        activations.append(info.lanes[0].activation[own])
        if info.lanes[0].acceptance is not None:
            accepted.append(float(info.lanes[0].acceptance.mean()))
    seen: NDArray[np.float64] = torch.stack(activations).T.numpy().astype(float)
    seen = seen[:, seen.shape[1] // LEFT_OUT :]
    counted = float(array_stats.ess(seen, chain_axis=0, draw_axis=1, method="bulk"))
    found.per_second.append(counted / (spent * (1 - 1 / LEFT_OUT)))
    found.r_hat.append(float(array_stats.rhat(seen, chain_axis=0, draw_axis=1)))
    found.activation.append(float(seen.mean()))
    if accepted:
        found.accepted.append(mean(accepted))


def _ratios(case: Case, found: dict[str, Found]) -> Iterator[Row]:
    """Compare the best friction with the plain step, where both mix."""
    plain = found["langevin"]
    best = max(
        (f for w, f in found.items() if "friction" in w and "tempered" not in w and not f.stuck),
        key=lambda f: mean(f.per_second),
        default=None,
    )
    if best is not None and not plain.stuck:
        ratio = mean(best.per_second) / mean(plain.per_second)
        yield Row(f"{case.title}: underdamped / langevin, effective samples", ratio, ">= 1")


def _table(lines: list[tuple[str, ...]]) -> Iterator[str]:
    """Return the lines as a table in Markdown, as it stands in the guide."""
    heads = ("neuron", "kernel", "effective samples per second", "R-hat", "activation", "accepted")
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    before = ""
    for title, *cells in lines:
        yield "| " + " | ".join(("" if title == before else title, *cells)) + " |"
        before = title
