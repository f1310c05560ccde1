"""More or fewer chains, or only some of them; the remaining chains keep their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import change_lanes, turn_lanes
from ldam_studio.engine.held import carried
from ldam_studio.engine.lane import turn
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler import kernels


def change_chains(
    state: SessionState, _change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Add chains or remove the last ones; averages and burn-in start again, but of held chains."""
    before, held = state.lanes, after.held
    turn_lanes(state, numbers, after)
    state.lanes = tuple(
        carried(lane, former, held, held) for lane, former in zip(state.lanes, before, strict=True)
    )


def keep_chains(
    state: SessionState, change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Keep some chains, with their pictures; averages and burn-in start again, but of held ones."""
    kept, held = list(change.value), after.held

    def of_kept(lane: Lane, number: int) -> Lane:
        outline = after.lanes[number]
        fewer = replace(lane, neurons=outline.neurons, chains=kernels.State(lane.chains.x[kept]))
        turned = turn(fewer, outline, state.device, state.generators, state.heat)
        return carried(turned, lane, held, [kept[chain] for chain in held])

    change_lanes(state, numbers, of_kept)
