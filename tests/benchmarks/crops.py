"""What running only a unit's part of the image saves, against running all of it up to the layer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from bare import unprepared
from row import Row
from torch import Tensor

from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.anatomy.layers import Layer, output_at
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options
from ldam_studio.sampler.settings import Settings

CHAINS = 4
ROUNDS = 5
MILLI = 1000
CASES = (  # network, layer, bound of network and gradient alone, bound of the whole step
    ("alexnet", "features.3", 8.0, 5.0),
    ("resnet18", "layer1.1.conv2", 8.0, 5.0),
    ("vgg16", "features.14", 20.0, 10.0),
    ("resnet18", "fc", 0.95, 0.95),
    ("alexnet", "classifier.6", 0.95, 0.95),
)


def measure() -> list[Row]:
    """Compare times at one thread, in turns, with weights that nobody trained."""
    torch.set_num_threads(1)
    rows = []
    for name, layer, alone, whole in CASES:
        network = open_network(f"torchvision:{name}", options=Options(untrained=True))
        plain = unprepared(network.module)
        settings = Settings.of(mode="exact", clamp=True)
        spec = SessionSpec(
            network, network.spread(layer, CHAINS), settings, device=choose("cpu", threads=1)
        )
        state = open_session(spec)
        loop = _Bare(plain, network.layer(layer), state.lane.chains.x, network.pixels)
        ours = activation_of(state.lane, state.device)
        x = state.lane.chains.x
        rows += compared(
            f"{name} {layer}: network and gradient, whole image / ours",
            lambda loop=loop: loop.gradient(loop.x),
            lambda x=x, f=ours: f(x),
            f">= {alone}",
        )
        # The first steps also look at the noise images of the burn-in's threshold.
        while state.lane.thresholds.wanted:
            state, _ = advance(state)
        holder = [state]

        def step(holder: list = holder) -> None:
            holder[0], _ = advance(holder[0])

        rows += compared(
            f"{name} {layer}: whole step, whole image / ours", loop.step, step, f">= {whole}"
        )
        if whole > 1:  # behind a whole network it is the small difference of large numbers
            rows += _rest(f"{name} {layer}", step, lambda x=x, f=ours: f(x))
    return rows


class _Bare:
    """A plain loop: the whole network up to the layer, then noise, L2, clamp and average."""

    def __init__(self, module: torch.nn.Module, layer: Layer, x: Tensor, pixels: object) -> None:
        self.module, self.layer, self.x = module, layer, x.clone()
        self.mean = torch.tensor(pixels.mean).reshape(1, -1, 1, 1)
        self.std = torch.tensor(pixels.std).reshape(1, -1, 1, 1)
        self.average = torch.zeros_like(x)
        self.steps = 0

    def gradient(self, x: Tensor) -> Tensor:
        leaf = x.detach().requires_grad_(True)
        output = output_at(self.module, self.layer, (leaf - self.mean) / self.std)
        if output.ndim == 4:
            output = output[:, :, output.shape[2] // 2, output.shape[3] // 2]
        (gradient,) = torch.autograd.grad(output.diagonal().sum(), leaf)
        return gradient

    def step(self) -> None:
        gradient = self.gradient(self.x)
        noise = torch.randn_like(self.x)
        force = gradient - (self.x - 0.5)
        self.x = (self.x + 0.05 * force + 0.03 * noise).clamp_(0, 1)
        self.steps += 1
        self.average += (self.x - self.average) / self.steps


def _rest(name: str, step: Callable[[], object], network: Callable[[], object]) -> list[Row]:
    """Return what noise, L2, clamp and average add to the network and its gradient."""
    pairs = [(seconds_per_call(step), seconds_per_call(network)) for _ in range(ROUNDS)]
    return [
        Row(f"{name}: the rest of our step, {unit}", median(MILLI * (a - b) for a, b in times))
        for unit, times in (
            ("ms of CPU time", [(one.cpu, other.cpu) for one, other in pairs]),
            ("ms of wall time", [(one.wall, other.wall) for one, other in pairs]),
        )
    ]


@dataclass(frozen=True)
class Seconds:
    """How long a call takes, for the processor and by the clock on the wall."""

    cpu: float
    wall: float


def compared(
    name: str, one: Callable[[], object], other: Callable[[], object], bound: str = ""
) -> list[Row]:
    """Return how many times as long `one` takes as `other`, the median over rounds.

    The bound is for processor time: others may be using the machine, which wall time shows.
    """
    one(), other()
    pairs = [(seconds_per_call(one), seconds_per_call(other)) for _ in range(ROUNDS)]
    return [
        Row(f"{name}, CPU time", median(a.cpu / b.cpu for a, b in pairs), bound),
        Row(f"{name}, wall time", median(a.wall / b.wall for a, b in pairs)),
    ]


def seconds_per_call(call: Callable[[], object]) -> Seconds:
    """Return the time per call, over enough calls that the clock can tell."""
    calls, started, began = 0, time.process_time(), time.perf_counter()
    while (spent := time.process_time() - started) < 0.2:
        call()
        calls += 1
    return Seconds(spent / calls, (time.perf_counter() - began) / calls)
