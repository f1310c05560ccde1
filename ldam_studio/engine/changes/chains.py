"""More or fewer chains; the remaining chains keep their pictures."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import turn_lanes
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import SessionState


def change_chains(
    state: SessionState, _change: Change, after: Outline, numbers: Sequence[int]
) -> None:
    """Add chains or remove the last ones; averages and burn-in start again."""
    turn_lanes(state, numbers, after)
