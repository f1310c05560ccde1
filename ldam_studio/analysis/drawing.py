"""Methods of drawing pictures for class neurons, and the time that each of them takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ldam_studio.analysis.sampling import OnStep, run_on
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.plans.finder import find_plan
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.presets import Preset
from ldam_studio.sampler.settings import Settings

AT_ONCE = 10
"""Number of pictures that are drawn in one batch, as in a session of the window."""

SHORT, LONG = 4, 24
"""Numbers of steps of two runs; the difference of their times gives the time of one step. The long
one has steps at all sizes of a schedule and of the views."""

LEAST_STEPS = 2


@dataclass(frozen=True)
class Drawn:
    """Pictures ``(n, C, H, W)`` in pixel units, one for each neuron, and how long they took.

    Attributes
    ----------
    last
        The pictures after the last step.
    averaged
        The averages over the run; None if the method has none.
    seconds
        Time for all of them together: processor time, or elapsed time on a graphics card.
    """

    last: Tensor
    averaged: Tensor | None
    seconds: float


class Method(Protocol):
    """A method of drawing pictures."""

    @property
    def name(self) -> str:
        """Its name in tables."""

    def draw(
        self, neurons: Sequence[Neuron], steps: int, seed: int, on_step: OnStep = ...
    ) -> Drawn:
        """Draw a picture for each neuron; equal seeds draw equal pictures."""

    def json(self) -> dict[str, Any]:
        """Return its description in JSON's types."""


@dataclass(frozen=True)
class Chains:
    """New chains with a preset's settings at a discriminator weight, averaged over the last half.

    A preset's averaging window limits the average further. A schedule lasts as long as the run.

    Attributes
    ----------
    weight
        The discriminator weight; None for that of the preset.
    """

    network: Network
    preset: Preset
    weight: float | None
    discriminator: DiscriminatorModel | None
    device: Device

    @property
    def name(self) -> str:
        """The preset, and the discriminator weight unless it is the preset's 0."""
        weight = self.settings.discriminator_weight
        plain = self.weight is None and not weight
        return self.preset.name if plain else f"{self.preset.name}, w = {weight:g}"

    @property
    def settings(self) -> Settings:
        """The settings of the chains, apart from the averaging."""
        values = self.preset.values(self.network.pixels.shape, discriminator=True)
        own = {} if self.weight is None else {"discriminator_weight": self.weight}
        return Settings.of(**{**values, **own})

    def draw(
        self, neurons: Sequence[Neuron], steps: int, seed: int, on_step: OnStep = lambda: None
    ) -> Drawn:
        """Run a chain for each neuron.

        The time that a search for the plan of execution takes is not counted.
        """
        # A fixed threshold avoids measuring one: burn-in does not matter here.
        settings = self.settings.change("burn_in", steps // 2).change("threshold", 0.0)
        if settings.schedule:
            settings = settings.change("schedule", steps)
        used = self.discriminator if settings.discriminator_weight else None
        spec = SessionSpec(self.network, tuple(neurons), settings, seed, used, self.device)
        state = find_plan(open_session(spec))
        began = clock(self.device.name)
        lane = run_on(state, steps, on_step).lane
        bounds = self.network.pixels.bounds
        last, averaged = (x.clamp(*bounds).cpu() for x in (lane.chains.x, lane.average.mean))
        return Drawn(last, averaged, clock(self.device.name) - began)

    def json(self) -> dict[str, Any]:
        """Return the preset's name and the weight."""
        weight = self.settings.discriminator_weight
        return {"preset": self.preset.name, "discriminator_weight": weight}


def clock(device: str) -> float:
    """Return seconds: processor time on the CPU, elapsed time on other devices."""
    return time.process_time() if device == "cpu" else time.perf_counter()


def seconds_for(method: Method, neurons: Sequence[Neuron]) -> tuple[float, float]:
    """Return the seconds per picture that drawing takes: before the steps, and for each step."""
    some = neurons[:AT_ONCE]

    def timed(steps: int) -> float:
        return method.draw(some, steps, 0).seconds / len(some)

    timed(SHORT)  # the first run is slower
    short, long = timed(SHORT), timed(LONG)
    # The clock may have a low resolution, and another program may disturb the short run.
    each = max((long - short) / (LONG - SHORT), long / LONG / 4, 1e-6)
    return max(0.0, short - SHORT * each), each


def steps_for(timed: tuple[float, float], seconds: float) -> int:
    """Return the number of steps, at least two, that fit into this time per picture."""
    before, each = timed
    return max(LEAST_STEPS, round((seconds - before) / each))


def in_batches(
    method: Method,
    neurons: Sequence[Neuron],
    steps: int,
    seeds: Sequence[int],
    on_step: OnStep = lambda: None,
) -> Drawn:
    """Draw a picture of each neuron, `AT_ONCE` per batch, with one seed for each batch."""
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
