"""More or fewer chains: the pictures that there are stay."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import turn_lanes
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import SessionState


def change_chains(
    state: SessionState, _change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Add chains, or take the last ones away; averages and burn-in begin anew."""
    turn_lanes(state, numbers, after)
