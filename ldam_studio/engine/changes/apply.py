"""Applying a change to a session, and writing it into the log."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.table import kind_of
from ldam_studio.engine.comparison import lane_name
from ldam_studio.engine.state import Lane, LogEntry, SessionState
from ldam_studio.engine.tuning import try_again
from ldam_studio.sampler.settings import is_of_chains


def apply(state: SessionState, change: Change) -> list[str]:
    """Apply a change to `state`, in place, and log it.

    Returns
    -------
    The lines to write into the traces; empty if nothing changed.

    Raises
    ------
    StudioError
        If the change cannot be made; `state` is then as before.
    """
    before = state.outline
    numbers, after, kind = before.lanes_of(change), before.after(change), kind_of(change.name)
    values: tuple[Any, ...] | None = None
    new: tuple[Any, ...] | None = None
    if is_of_chains(change.name):
        values, new = (
            tuple(outline.value(change.name, number) for number in numbers)
            for outline in (before, after)
        )
        if values == new:
            return []
    kept = {field.name: getattr(state, field.name) for field in fields(state)}
    state.held, state.heats = after.held, after.heats
    try:
        kind.effect(state, change, after, numbers)
    except BaseException:
        for name, value in kept.items():
            setattr(state, name, value)
        raise
    logged = kind.logged(change, after)
    lanes = zip(kept["lanes"], state.lanes, strict=False)
    if values is not None and any(_does_more(one, other) for one, other in lanes):
        values = None
    _log(state, LogEntry(state.step, change.name, logged, change.lane, values), new)
    told = kind.words(change, after)
    if change.lane is not None and len(state.lanes) > 1:
        told = f"{lane_name(change.lane)}: {told}"
    return [told, *(_tried_again(state) if kind.looks_elsewhere else [])]


def _tried_again(state: SessionState) -> list[str]:
    """Check whether the plan suits the new layer; return lines for the traces."""
    told = try_again(state)
    if not told:
        return []
    # Replay does not check again: it reads the result from the log.
    _log(state, LogEntry(state.step, "plan", asdict(state.device.plan)))
    return [told]


def _does_more(before: Lane, after: Lane) -> bool:
    """Return whether a setting did more to a lane than its value tells.

    It may have begun a schedule again, put settings back into it, resized images or begun ladders.
    """
    clock, later = before.clock, after.clock
    ladders, others = (
        None if lane.tempering is None else lane.tempering.ladders for lane in (before, after)
    )
    return (
        (clock.held, clock.behind) != (later.held, later.behind)
        or bool(clock.taken - later.taken)
        or before.chains.x.shape != after.chains.x.shape
        or ladders is not others
    )


def _log(state: SessionState, entry: LogEntry, new: tuple[Any, ...] | None = None) -> None:
    """Write a change into the log.

    Of several values that one setting gets within one step, only the last is kept. There are two
    exceptions. If the `new` values are the ones from before the first of these changes, replaying
    the last one alone would change nothing, although the chains were disturbed. Both are kept then.
    And if one of the changes did more to the chains than its value tells, it is kept, too; it is
    logged without the values before it.
    """
    last = state.log[-1] if state.log else None
    if (
        last is not None
        and entry.before is not None
        and (last.step, last.name, last.lane) == (entry.step, entry.name, entry.lane)
        and last.before not in (None, new)
    ):
        entry = replace(entry, before=last.before)
        state.log.pop()
    state.log.append(entry)
