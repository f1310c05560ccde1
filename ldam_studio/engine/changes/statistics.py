"""Photo statistics that were measured while the session runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine import photo_statistics
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import change_lanes
from ldam_studio.engine.lane import reheat, sized_for
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import Lane, SessionState


def change_statistics(
    state: SessionState, _change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Compare the images of lanes with other statistics; gamma is measured anew at once."""

    def compared(lane: Lane, number: int) -> Lane:
        network = after.lanes[number].network
        if network is lane.network:
            return lane
        sized = sized_for(network, lane.neurons, lane.settings, lane.clock)
        balance = photo_statistics.begin(len(lane.neurons), state.device.name)
        lane = replace(lane, network=network, sized=sized, balance=balance)
        return reheat(lane, state.device, state.heat)

    change_lanes(state, numbers, compared)
