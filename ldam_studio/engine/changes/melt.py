"""Melting: a high temperature for a number of steps, or until it is taken back."""

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


def heat(state: SessionState, change: Change, _after: Outline, _numbers: Sequence[int]) -> None:
    """Multiply the temperature by the change's value from now on."""
    state.heated = float(change.value)
    unsettle(state)
