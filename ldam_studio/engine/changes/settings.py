"""A setting of the chains: averages continue; chains settle again if their distribution changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine import burn_in_threshold, photo_statistics, silent_neurons
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.lane import reheat, targets
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.prior import check_denoiser
from ldam_studio.engine.schedule import fitted
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler import kernels
from ldam_studio.sampler.schedule import CURVE_OF, STARTS
from ldam_studio.sampler.settings import SETTINGS, Settings

MEASURED_WITH = ("threshold", "clamp", "start_spread", "objective")
"""Settings on which the burn-in threshold depends."""

OF_TARGETS = ("objective", "view_size")
"""Settings on which the units depend that are evaluated."""

OF_SCHEDULES = (
    "schedule_shape",
    "schedule",
    "schedule_course",
    "cycle_growth",
    "coarse_share",
    *STARTS,
    *STARTS.values(),
    *CURVE_OF.values(),
)
"""Settings on which the present values of a schedule depend."""

BALANCED_WITH = ("photo_statistics", "statistics_tolerance", "objective", "spectrum")
"""Settings after which the balance of photo statistics is measured anew at once."""


def change_setting(
    state: SessionState, change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Give lanes the new value of a setting."""
    lanes = list(state.lanes)
    for number in numbers:
        lanes[number] = _set(state, lanes[number], change.name, after.lanes[number].settings)
    check_denoiser(lanes, state.device)
    state.lanes = tuple(lanes)


def _set(state: SessionState, lane: Lane, name: str, settings: Settings) -> Lane:
    lane = replace(lane, settings=settings, clock=lane.clock.taking(name, settings, lane.settings))
    if name == "kernel":
        # Keep the pixels only: a kernel cannot use the memory of another one.
        lane = replace(lane, chains=kernels.State(lane.chains.x))
    if name in OF_TARGETS:
        found = targets(lane.network, lane.sized, lane.neurons, settings, trust=lane.trust)
        lane = replace(lane, targets=found)
    if name == "objective":
        waking = silent_neurons.begin(len(lane.neurons), state.device.name)
        lane = replace(lane, waking=waking)
    photo_statistics.check(lane.network, settings)
    if name in BALANCED_WITH:
        balance = photo_statistics.begin(len(lane.neurons), state.device.name)
        lane = replace(lane, balance=balance)
    if SETTINGS[name].unsettles:
        lane = reheat(lane, state.device, state.heat)
    if name in OF_SCHEDULES:
        lane = fitted(lane, state.device, state.heat)
    if name in MEASURED_WITH:
        thresholds = burn_in_threshold.begin(settings, len(lane.neurons), state.device.name)
        lane = replace(lane, thresholds=thresholds)
    return lane
