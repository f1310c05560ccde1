"""Networks that come to stand beside the first one, or go."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import start_anew
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.lane import begin, open_lane
from ldam_studio.engine.outline import LaneOutline, Outline
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler.random import Generators


def compare(state: SessionState, change: Change, after: Outline, _numbers: Sequence[int]) -> None:
    """Put a lane beside the first one, or take lanes away.

    Where the change names no place, there is one lane beside the first afterwards, or none.
    """
    place, spec = change.lane or 1, change.value
    lanes = state.lanes[:1] if change.lane is None else state.lanes
    added: tuple[Lane, ...] = ()
    if spec is not None:
        added = (open_beside(after.lanes[place], state.seed, state.device),)
    if spec is not None and not spec.restart:
        added = (begin(added[0], state.lane.chains.x, state.device, state.heat),)
        # With their burn-in kept, they would average samples that the new lane throws away.
        lanes = tuple(begin(lane, lane.chains.x, state.device, state.heat) for lane in lanes)
    state.lanes = (*lanes[:place], *added, *lanes[place + 1 :])
    if spec is not None and spec.restart:
        start_anew(state)


def open_beside(lane: LaneOutline, seed: int, device: Device) -> Lane:
    """Return a lane at the session's start, to stand beside the first one."""
    lane.network.to(device.name)
    # From sources of its own: those of the session are as they would be without it.
    return open_lane(lane, device, Generators(seed, device.name))
