"""More or fewer chains, or only some of them; the remaining chains keep their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import change_lanes, turn_lanes
from ldam_studio.engine.lane import turn
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler import kernels


def change_chains(
    state: SessionState, _change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Add chains or remove the last ones; averages and burn-in start again."""
    turn_lanes(state, numbers, after)


def keep_chains(
    state: SessionState, change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Keep only some chains, with their pictures; averages and burn-in start again."""
    kept = list(change.value)

    def of_kept(lane: Lane, number: int) -> Lane:
        outline = after.lanes[number]
        lane = replace(lane, neurons=outline.neurons, chains=kernels.State(lane.chains.x[kept]))
        return turn(lane, outline, state.device, state.generators, state.heat)

    change_lanes(state, numbers, of_kept)
