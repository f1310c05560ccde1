"""The plan by which networks run."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import SessionState
from ldam_studio.engine.tuning import layer_of


def change_plan(
    state: SessionState, _change: Change, after: Outline, _numbers: Sequence[int]
) -> None:
    """Use another plan from the next step on, which was checked on all lanes."""
    state.device = after.device
    state.device.apply()
    state.checked_layers = frozenset(layer_of(lane) for lane in state.lanes)
