"""How sessions that were saved with a note are opened again, above all those on the shelf."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ldam_studio.engine.session import Opener
from ldam_studio.gui.session.model import Display
from ldam_studio.gui.session.openings import Opening
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.session.note import Note
    from ldam_studio.gui.session.shelf import Kept

CRASHED = "The studio did not close properly; this is the session of {}."


def continuing(sessions: Sequence[list[Kept]], device: Device, first: Opening) -> Opening:
    """Return how to open the newest session of the shelf, or to offer it.

    A session that runs the user's own code is offered, because only a click may run that code.

    Parameters
    ----------
    sessions
        The sessions of the shelf, the newest first; at least one.
    first
        What to open where a session must not or cannot be opened.
    """
    newest = sessions[0]
    again = opening_of(newest, device, first)
    note, closed = newest[0].note, newest[0].closed
    crashed = "" if closed else CRASHED.format(newest[0].when)
    if note.code:
        said = crashed and f"The studio did not close properly at {newest[0].when}. "
        said += f"The last session runs your own code, {note.code}, so it was not opened."
        return replace(first, note=said, offered=again)
    if crashed:
        return replace(again, note=crashed)
    other = next((session for session in sessions if not session[0].closed), None)
    if other is None:
        return again
    said = f"The studio did not close properly at {other[0].when}; that session can go on."
    if code := other[0].note.code:
        said += f" It runs your own code, {code}."
    return replace(again, note=said, offered=opening_of(other, device, first))


def opening_of(session: Sequence[Kept], device: Device, first: Opening) -> Opening:
    """Return how to continue a session; where its newest generation is damaged, the one before.

    This runs the user's own code if the session has any.
    """
    opening = first
    for kept in reversed(session):
        opening = replace(_again(kept.file, kept.note, device, opening), kept=kept.folder)
    return opening


def former(file: Path, note: Note, device: Device, first: Opening) -> Opening:
    """Return how to open, or to offer, the session that version 0.1.0 saved."""
    again = _again(file, note, device, first)
    if not note.code:
        return again
    said = f"The last session runs your own code, {note.code}, so it was not opened."
    return replace(first, note=said, offered=again)


def as_noted(note: Note, make: Callable[[], SessionState]) -> Opening:
    """Return how to open a session that `make` makes, as a note says that it was shown."""
    return Opening(
        title=note.title,
        make=make,
        display=Display(note.mode, note.scale),
        rows=tuple(note.rows),
        front=note.front,
        hint=note.hint,
        max_rate=int(SETTINGS["max_rate"].check(note.max_rate)),
        lane_titles=note.lane_titles or ({1: note.beside} if note.beside else {}),
        remembered=note.remembered(),
        layout=note.layout,
    )


def _again(file: Path, note: Note, device: Device, fallback: Opening) -> Opening:
    from ldam_studio.export.session_file import read_session

    again = as_noted(
        note, lambda: read_session(file, device, opener=Opener(allow_code=bool(note.code)))
    )
    # Features get their remembered values even if the session cannot be opened.
    return replace(again, fallback=replace(fallback, remembered=again.remembered))
