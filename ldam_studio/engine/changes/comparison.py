"""Adding networks beside the first one, and removing them."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import start_anew
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.lane import begin, open_lane, with_clock
from ldam_studio.engine.outline import LaneOutline, Outline
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler.random import Generators


def compare(state: SessionState, change: Change, after: Outline, _numbers: Sequence[int]) -> None:
    """Put a lane beside the first one, or remove lanes.

    If the change does not say which lane, all lanes beside the first are replaced by the new one,
    or removed.
    """
    place, spec = change.lane or 1, change.value
    lanes = state.lanes[:1] if change.lane is None else state.lanes
    added: tuple[Lane, ...] = ()
    if spec is not None:
        added = (open_beside(after.lanes[place], state.seed, state.device),)
    if spec is not None and not spec.restart:
        here = state.lane
        joined = with_clock(added[0], here.clock)
        added = (begin(joined, here.chains.x, state.device, state.heat),)
        # All lanes burn in again: otherwise they would average samples that the new lane discards.
        lanes = tuple(begin(lane, lane.chains.x, state.device, state.heat) for lane in lanes)
    state.lanes = (*lanes[:place], *added, *lanes[place + 1 :])
    if spec is not None and spec.restart:
        start_anew(state)


def open_beside(lane: LaneOutline, seed: int, device: Device) -> Lane:
    """Return a lane at the session's start, to run beside the first one."""
    lane.network.to(device.name)
    # It has its own generators, so that those of the session do not advance.
    return open_lane(lane, device, Generators(seed, device.name))
