"""What changes of a schedule mean for the outline of a session; see `sampler.schedule`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.engine.changes import chosen
from ldam_studio.engine.changes.change import Change
from ldam_studio.errors import StudioError
from ldam_studio.sampler.schedule import STARTS

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline


def run_schedule(outline: Outline, change: Change, numbers: tuple[int, ...]) -> Outline:
    """Begin the schedule again, or let one setting follow it again."""
    if change.value is None:
        return chosen.freed(outline)
    return leave_schedule(outline, change, numbers)


def leave_schedule(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Let a setting leave the schedule."""
    if change.value not in STARTS:
        raise StudioError(
            f"Only {', '.join(STARTS)} can follow a schedule, not {change.value!r}; choose one."
        )
    return outline


def hold_schedule(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Stop the schedule where it is, or let it go on."""
    if not isinstance(change.value, bool):
        raise StudioError(f"A schedule can be stopped or go on, not {change.value!r}.")
    return outline
