"""Heating, restarting, holding and releasing some of a session's chains, in all lanes alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import change_lanes
from ldam_studio.engine.changes.pictures import begin_some
from ldam_studio.engine.lane import draw_starts, warmed
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler import average, burn_in


def heat_some(
    state: SessionState, change: Change, _after: Outline, _numbers: Sequence[int]
) -> None:
    """Multiply the temperature of some chains; those that cool begin their averages anew."""
    mask = state.mask(change.value.chains)

    def heated(lane: Lane) -> Lane:
        progress, mean = burn_in.disturb_some(lane.progress, mask), lane.average
        cools = change.value.heat == 1
        return replace(
            lane, progress=progress, average=average.reset(mean, mask) if cools else mean
        )

    _to_all(state, heated)


def restart_some(
    state: SessionState, change: Change, _after: Outline, numbers: Sequence[int]
) -> None:
    """Restart some chains from new random numbers; the others, and the schedule, go on."""
    chains = list(change.value)
    mask = state.mask(chains)

    def started(lane: Lane, _number: int) -> Lane:
        arithmetic = state.device.arithmetic
        x = lane.chains.x.clone()
        x[chains] = draw_starts(lane.sized, lane.settings, state.generators, chains, arithmetic)
        return begin_some(lane, x, mask, state)

    change_lanes(state, numbers, started)
    _to_all(state, lambda lane: lane)


def hold(state: SessionState, _change: Change, _after: Outline, _numbers: Sequence[int]) -> None:
    """Let some chains neither move nor give samples; if they were heated, they cool."""
    _to_all(state, lambda lane: lane)


def release(state: SessionState, change: Change, _after: Outline, _numbers: Sequence[int]) -> None:
    """Let some chains move again; they settle anew."""
    mask = state.mask(change.value)
    _to_all(state, lambda lane: replace(lane, progress=burn_in.disturb_some(lane.progress, mask)))


def _to_all(state: SessionState, change: Callable[[Lane], Lane]) -> None:
    """Change each lane, and give it the temperatures of the chains."""
    heat, device = state.heat, state.device
    state.lanes = tuple(warmed(change(lane), device, heat) for lane in state.lanes)
