"""Helpers for changes that affect several or all lanes of a session."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from ldam_studio.engine.lane import begin, draw_starts, reheat, turn, with_clock, with_trust
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.engine.trust import Trust
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.schedule import Clock


def change_lanes(
    state: SessionState, numbers: Sequence[int], change: Callable[[Lane, int], Lane]
) -> None:
    """Apply `change` to the lanes with these numbers; each lane draws the same random numbers."""
    lanes, before = list(state.lanes), state.generators
    for number in numbers:
        state.generators = before if len(numbers) == 1 else before.clone()
        lanes[number] = change(lanes[number], number)
    state.lanes = tuple(lanes)


def turn_lanes(
    state: SessionState, numbers: Sequence[int], after: Outline, *, anew: bool = False
) -> None:
    """Give lanes the networks, neurons and settings of the outline; `anew` is that of `turn`."""

    def turned(lane: Lane, number: int) -> Lane:
        outline, device = after.lanes[number], state.device
        return turn(lane, outline, device, state.generators, state.heat, anew=anew)

    change_lanes(state, numbers, turned)


def start_anew(state: SessionState, starts: Callable[[Lane], Tensor] | None = None) -> None:
    """Restart all chains from the session's seed, at `starts` of each lane (chains, C, H, W)."""
    state.generators = Generators(state.seed, state.device.name)
    state.melting, state.heated = 0, 1.0

    def started(lane: Lane, _number: int) -> Lane:
        # What earlier chains showed is forgotten: replay begins at the last restart.
        lane = with_trust(lane, Trust.at_first(confirmed=state.device.confirmed))
        lane = with_clock(lane, Clock())
        chains, arithmetic = range(len(lane.neurons)), state.device.arithmetic
        if starts is not None:
            return begin(lane, starts(lane), state.device, state.heat)
        x = draw_starts(lane.sized, lane.settings, state.generators, chains, arithmetic)
        return begin(lane, x, state.device, state.heat)

    change_lanes(state, range(len(state.lanes)), started)


def unsettle(state: SessionState) -> None:
    """Mark all chains as settling, because their target distribution has changed."""
    state.lanes = tuple(reheat(lane, state.device, state.heat) for lane in state.lanes)
