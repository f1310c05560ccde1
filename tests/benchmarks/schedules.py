"""What a schedule adds to a step: LeNet's ten classes with cycles of all settings, and without."""

from __future__ import annotations

import time

import torch
from row import Row

from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import choose
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import SessionState
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.sampler.settings import Settings

STEPS, ROUNDS = 100, 7
CYCLES = {
    "schedule_shape": "cycles",
    "schedule": 40,
    "cycle_growth": 1.2,
    "step_size_start": 0.3,
    "temperature_start": 1.0,
    "discriminator_weight_start": 0.0,
}


def measure() -> list[Row]:
    """Take turns of steps with and without a schedule, and compare the fastest of each."""
    torch.set_num_threads(1)
    plain, cycling = _opened(), _opened(**CYCLES)
    seconds = [(_seconds(plain), _seconds(cycling)) for _ in range(ROUNDS)]
    without, with_one = (min(each) for each in zip(*seconds, strict=True))
    return [Row("time of a LeNet step with cycles / without", with_one / without, "<= 1.25")]


def _opened(**settings: object) -> SessionState:
    network = open_network("lenet")
    chosen = Settings.of(threshold=0.0, **settings)
    spec = SessionSpec(
        network, network.default_neurons(10), chosen, device=choose("cpu", threads=1)
    )
    state = open_session(spec)
    _seconds(state)
    return state


def _seconds(state: SessionState) -> float:
    started = time.process_time()
    for _ in range(STEPS):
        state, _ = advance(state)
    return time.process_time() - started
