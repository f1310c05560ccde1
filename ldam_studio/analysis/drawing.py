"""Ways to draw pictures for class neurons, with the seconds that each of them takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ldam_studio.analysis.sampling import OnStep, run_on
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.presets import Preset
from ldam_studio.sampler.settings import Settings

AT_ONCE = 10
"""Pictures that are drawn in one batch, as in a session of the window."""

SHORT, LONG = 2, 7
"""Steps of two runs; the difference of their times gives the time of one step."""

LEAST_STEPS = 2


@dataclass(frozen=True)
class Drawn:
    """Pictures ``(n, C, H, W)`` in pixel units, one for each neuron, and how long they took.

    Attributes
    ----------
    last
        As they are after the last step.
    averaged
        The averages over the run; None where the method has none.
    seconds
        For all of them together: processor time, or elapsed time where a graphics card draws.
    """

    last: Tensor
    averaged: Tensor | None
    seconds: float


class Method(Protocol):
    """A way to draw pictures; `name` is shown in tables."""

    @property
    def name(self) -> str:
        """What is shown in tables."""

    def draw(
        self, neurons: Sequence[Neuron], steps: int, seed: int, on_step: OnStep = ...
    ) -> Drawn:
        """Draw a picture for each neuron; equal seeds draw equal pictures."""

    def json(self) -> dict[str, Any]:
        """Return its description in JSON's types."""


@dataclass(frozen=True)
class Chains:
    """Fresh chains with a preset's settings at a discriminator weight; averages of the last half.

    Attributes
    ----------
    weight
        None for the preset's own.
    """

    network: Network
    preset: Preset
    weight: float | None
    discriminator: DiscriminatorModel | None
    device: Device

    @property
    def name(self) -> str:
        """The preset and the weight."""
        return f"{self.preset.name}, w = {self.settings.discriminator_weight:g}"

    @property
    def settings(self) -> Settings:
        """The settings of the chains, apart from the averaging."""
        values = self.preset.values(self.network.pixels.shape, discriminator=True)
        own = {} if self.weight is None else {"discriminator_weight": self.weight}
        return Settings.of(**{**values, **own})

    def draw(
        self, neurons: Sequence[Neuron], steps: int, seed: int, on_step: OnStep = lambda: None
    ) -> Drawn:
        """Run a chain for each neuron."""
        began = clock(self.device.name)
        # A fixed threshold saves measuring one: whether a chain is burned in is not asked here.
        settings = self.settings.change("burn_in", steps // 2).change("threshold", 0.0)
        used = self.discriminator if settings.discriminator_weight else None
        spec = SessionSpec(self.network, tuple(neurons), settings, seed, used, self.device)
        lane = run_on(open_session(spec), steps, on_step).lane
        bounds = self.network.pixels.bounds
        last, averaged = (x.clamp(*bounds).cpu() for x in (lane.chains.x, lane.average.mean))
        return Drawn(last, averaged, clock(self.device.name) - began)

    def json(self) -> dict[str, Any]:
        """Return the preset's name and the weight."""
        weight = self.settings.discriminator_weight
        return {"preset": self.preset.name, "discriminator_weight": weight}


def clock(device: str) -> float:
    """Return seconds: processor time, or elapsed time where another device than the CPU draws."""
    return time.process_time() if device == "cpu" else time.perf_counter()


def seconds_for(method: Method, neurons: Sequence[Neuron]) -> tuple[float, float]:
    """Return the seconds a picture that drawing takes: before the steps, and for each step."""
    some = neurons[:AT_ONCE]

    def timed(steps: int) -> float:
        return method.draw(some, steps, 0).seconds / len(some)

    timed(SHORT)  # the first run is slower
    short, long = timed(SHORT), timed(LONG)
    # A clock of processor time may tick seldom, and another program may disturb the short run.
    each = max((long - short) / (LONG - SHORT), long / LONG / 4, 1e-6)
    return max(0.0, short - SHORT * each), each


def steps_for(timed: tuple[float, float], seconds: float) -> int:
    """Return the number of steps that fit into so many seconds a picture; at least two."""
    before, each = timed
    return max(LEAST_STEPS, round((seconds - before) / each))


def in_batches(
    method: Method,
    neurons: Sequence[Neuron],
    steps: int,
    seeds: Sequence[int],
    on_step: OnStep = lambda: None,
) -> Drawn:
    """Draw a picture of each neuron, `AT_ONCE` in a batch; one seed for each batch."""
    batches = [neurons[first : first + AT_ONCE] for first in range(0, len(neurons), AT_ONCE)]
    parts = [
        method.draw(batch, steps, seed, on_step) for batch, seed in zip(batches, seeds, strict=True)
    ]
    averaged = [part.averaged for part in parts if part.averaged is not None]
    return Drawn(
        torch.cat([part.last for part in parts]),
        torch.cat(averaged) if averaged else None,
        sum(part.seconds for part in parts),
    )


def batches_of(neurons: Sequence[Neuron]) -> int:
    """Return the number of batches in which pictures of the neurons are drawn."""
    return -(-len(neurons) // AT_ONCE)
