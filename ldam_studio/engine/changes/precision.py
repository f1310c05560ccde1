"""The precision in which networks run."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import SessionState


def change_precision(
    state: SessionState, _change: Change, after: Outline, _numbers: Sequence[int]
) -> None:
    """Use another precision from the next step on."""
    state.device = after.device
