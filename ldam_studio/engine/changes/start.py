"""Restarting the chains, from the same seed or another."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import start_anew
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import SessionState


def restart(state: SessionState, _change: Change, after: Outline, _numbers: Sequence[int]) -> None:
    """Restart all chains from the outline's seed."""
    state.seed = after.seed
    start_anew(state)
