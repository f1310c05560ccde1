"""A setting of the chains: averages continue; chains settle again if their distribution changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine import burn_in_threshold, silent_neurons
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.lane import reheat, targets
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler import kernels
from ldam_studio.sampler.settings import SETTINGS, Settings

MEASURED_WITH = ("threshold", "clamp", "start_spread", "objective")
"""Settings on which the burn-in threshold depends."""


def change_setting(
    state: SessionState, change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Give lanes the new value of a setting."""
    lanes = list(state.lanes)
    for number in numbers:
        lanes[number] = _set(state, lanes[number], change.name, after.lanes[number].settings)
    state.lanes = tuple(lanes)


def _set(state: SessionState, lane: Lane, name: str, settings: Settings) -> Lane:
    lane = replace(lane, settings=settings)
    if name == "kernel":
        # Keep the pixels only: a kernel cannot use the memory of another one.
        lane = replace(lane, chains=kernels.State(lane.chains.x))
    if name == "objective":
        lane = replace(
            lane,
            targets=targets(lane.network, lane.neurons, settings.objective),
            waking=silent_neurons.begin(len(lane.neurons), state.device.name),
        )
    if SETTINGS[name].unsettles:
        lane = reheat(lane, state.device, state.heat)
    if name in MEASURED_WITH:
        fresh = burn_in_threshold.begin(settings, len(lane.neurons), state.device.name)
        lane = replace(lane, thresholds=fresh)
    return lane
