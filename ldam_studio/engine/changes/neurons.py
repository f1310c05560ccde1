"""Other neurons: pictures morph, averages and burn-in start again."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import turn_lanes
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import SessionState


def change_neurons(
    state: SessionState, change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Give chains other neurons; a lane whose network lacks them keeps its own."""
    asked = after.lanes[numbers[0]].neurons
    turned = [
        number
        for number in numbers
        if after.lanes[number].neurons == asked
        or after.lanes[number].neurons != state.lanes[number].neurons
    ]
    turn_lanes(state, turned, after)
