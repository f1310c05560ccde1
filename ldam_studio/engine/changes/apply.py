"""How a change takes effect on a session, and how it is written into the log."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.changes.table import kind_of
from ldam_studio.engine.comparison import lane_name
from ldam_studio.engine.state import LogEntry, SessionState
from ldam_studio.engine.tuning import try_again
from ldam_studio.sampler.settings import is_of_chains


def apply(state: SessionState, change: Change) -> list[str]:
    """Let a change take effect on `state`, in place, and log it.

    Returns
    -------
    What to write into the traces about it; nothing if it changed nothing.

    Raises
    ------
    StudioError
        If it cannot be made; `state` is then as before.
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
    try:
        kind.effect(state, change, after, numbers)
    except BaseException:
        for name, value in kept.items():
            setattr(state, name, value)
        raise
    logged = kind.logged(change, after)
    _log(state, LogEntry(state.step, change.name, logged, change.lane, values), new)
    told = kind.words(change, after)
    if change.lane is not None and len(state.lanes) > 1:
        told = f"{lane_name(change.lane)}: {told}"
    return [told, *(_tried_again(state) if kind.looks_elsewhere else [])]


def _tried_again(state: SessionState) -> list[str]:
    """See whether the precision suits what the chains now look at; returns what is said of it."""
    told = try_again(state)
    if not told:
        return []
    # Replay does not try: it is told.
    _log(state, LogEntry(state.step, "precision", state.device.precision))
    return [told]


def _log(state: SessionState, entry: LogEntry, new: tuple[Any, ...] | None = None) -> None:
    """Write a change down. Of one setting's values in a row within a step, the last is kept.

    Where the `new` values are those from before the first of them, nothing would be left to change
    on replay, while the chains were disturbed: then both are kept.
    """
    last = state.log[-1] if state.log else None
    if (
        last is not None
        and is_of_chains(entry.name)
        and (last.step, last.name, last.lane) == (entry.step, entry.name, entry.lane)
        and last.before not in (None, new)
    ):
        entry = replace(entry, before=last.before)
        state.log.pop()
    state.log.append(entry)
