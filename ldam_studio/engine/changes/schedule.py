"""Running a schedule again from the present pictures, stopping it, putting a setting back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import change_lanes
from ldam_studio.engine.lane import begin, with_clock
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.schedule import fitted
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler.schedule import Clock


def run_schedule(
    state: SessionState, change: Change, _after: Outline, numbers: Sequence[int]
) -> None:
    """Begin the schedule again, or let the setting that the change names follow it again."""

    def begun(lane: Lane, _number: int) -> Lane:
        return begin(with_clock(lane, Clock()), lane.chains.x, state.device, state.heat)

    def followed(lane: Lane, _number: int) -> Lane:
        clock = replace(lane.clock, taken=lane.clock.taken - {change.value})
        return fitted(replace(lane, clock=clock), state.device, state.heat)

    change_lanes(state, numbers, begun if change.value is None else followed)


def leave_schedule(
    state: SessionState, change: Change, _after: Outline, numbers: Sequence[int]
) -> None:
    """Take a setting out of the schedule: it has its own value until the schedule begins again."""

    def left(lane: Lane, _number: int) -> Lane:
        clock = replace(lane.clock, taken=lane.clock.taken | {change.value})
        return fitted(replace(lane, clock=clock), state.device, state.heat)

    change_lanes(state, numbers, left)


def hold_schedule(
    state: SessionState, change: Change, _after: Outline, numbers: Sequence[int]
) -> None:
    """Stop the schedule where it is, so that settings keep their present values; or go on."""

    def held(lane: Lane, _number: int) -> Lane:
        clock = lane.clock.stopped() if change.value else lane.clock.going_on()
        return fitted(replace(lane, clock=clock), state.device, state.heat)

    change_lanes(state, numbers, held)
