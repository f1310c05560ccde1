"""Melting: a high temperature for a while."""

from __future__ import annotations

from collections.abc import Sequence

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.every_lane import unsettle
from ldam_studio.engine.outline import Outline
from ldam_studio.engine.state import SessionState


def melt(state: SessionState, change: Change, _after: Outline, _numbers: Sequence[int]) -> None:
    """Raise the temperature for the change's number of steps."""
    state.melting = change.value
    unsettle(state)
