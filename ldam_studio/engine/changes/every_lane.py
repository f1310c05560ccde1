"""What several changes have in common: each of them turns some or all of a session's lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ldam_studio.engine.lane import begin, draw_starts, reheat, turn
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler.random import Generators


def change_lanes(
    state: SessionState, numbers: Sequence[int], change: Callable[[Lane, int], Lane]
) -> None:
    """Change the lanes of these numbers, each of which draws the same random numbers."""
    lanes, before = list(state.lanes), state.generators
    for number in numbers:
        state.generators = before if len(numbers) == 1 else before.clone()
        lanes[number] = change(lanes[number], number)
    state.lanes = tuple(lanes)


def turn_lanes(state: SessionState, numbers: Sequence[int], after: Outline) -> None:
    """Turn lanes to the networks and neurons that the outline says."""

    def turned(lane: Lane, number: int) -> Lane:
        return turn(lane, after.lanes[number], state.device, state.generators, state.heat)

    change_lanes(state, numbers, turned)


def start_anew(state: SessionState) -> None:
    """Start all chains from the session's seed."""
    state.generators = Generators(state.seed, state.device.name)
    state.melting = 0

    def started(lane: Lane, _number: int) -> Lane:
        chains = range(len(lane.neurons))
        x = draw_starts(lane.network, lane.settings, state.generators, chains)
        return begin(lane, x, state.device, state.heat)

    change_lanes(state, range(len(state.lanes)), started)


def unsettle(state: SessionState) -> None:
    """Let all chains settle again: the law that they sample is another one."""
    state.lanes = tuple(reheat(lane, state.device, state.heat) for lane in state.lanes)
