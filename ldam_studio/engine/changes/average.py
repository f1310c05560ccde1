"""Resetting the averages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.sampler import average

UNFINISHED = "unfinished"


def reset_average(
    state: SessionState, change: Change, _after: Outline, _numbers: Sequence[int]
) -> None:
    """Discard all samples, or only those of chains that are not burned in; not of held chains."""
    moving = ~state.mask(state.held)

    def reset(lane: Lane) -> Lane:
        which = moving & ~lane.progress.done if change.value == UNFINISHED else moving
        return replace(lane, average=average.reset(lane.average, which))

    state.lanes = tuple(reset(lane) for lane in state.lanes)
