"""How session files are opened: `.ldam`, and the single safetensors files of earlier versions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from ldam_studio.errors import StudioError
from ldam_studio.export.archive.reading import read_saved
from ldam_studio.export.locate import Nearby
from ldam_studio.gui.opening.leave import with_leave
from ldam_studio.gui.session.kept import as_noted
from ldam_studio.gui.session.note import Note

if TYPE_CHECKING:
    from pathlib import Path

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.engine.state import SessionState
    from ldam_studio.export.archive.reading import SavedSession
    from ldam_studio.gui.session.openings import Opening

WHAT = "session file"


def saved_opening(path: Path, device: Device) -> Opening:
    """Read and check a session file; return how to go on with its session.

    Raises
    ------
    StudioError
        If it is no session file, was saved by a later version, or has been changed.
    """
    saved = read_saved(path)
    note = _note(saved)

    def make(nearby: Nearby) -> SessionState:
        return saved.session(nearby, device)

    opening = replace(
        as_noted(note, lambda: make(Nearby(path.parent, what=WHAT))),
        title=path.stem,
        unpack=saved.unpack_filmstrip if saved.pinned else None,
        file=path.absolute() if saved.contents.format else None,
    )
    elsewhere = _elsewhere(saved)
    return with_leave(opening, make, path.parent, saved.references, elsewhere, WHAT)


def _note(saved: SavedSession) -> Note:
    """Return how the window shows the session of a file."""
    if not saved.window:
        return Note(saved.path.stem, [], 0, "image", None, "", 0)
    try:
        return msgspec.json.decode(saved.window, type=Note).impersonal()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise StudioError(
            f"What {saved.path} says of the window is damaged; use the file as it was saved."
        ) from None


def _elsewhere(saved: SavedSession) -> tuple[str, ...]:
    """Return the files and folders that a session file names and that need leave to be read."""
    nearby = Nearby(saved.path.parent, what=WHAT)
    named = {"session": [msgspec.to_builtins(one) for one in saved.references]}
    elsewhere = nearby.elsewhere(named)
    try:
        saved.check_lessons(nearby)
    except StudioError:
        elsewhere = (*elsewhere, str(saved.described.data))
    return elsewhere
