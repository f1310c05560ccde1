"""Saving a session as a file, with what it needs beside it."""

from __future__ import annotations

from pathlib import Path

from ldam_studio.engine.state import SessionState
from ldam_studio.export.archive.writing import write_archive
from ldam_studio.export.exporting import used_in
from ldam_studio.export.kept_weights import Kept, keep_weights
from ldam_studio.export.known import remember
from ldam_studio.files import write_together


def save_archive(
    state: SessionState, path: Path, window: bytes, filmstrip: Path | None = None
) -> Kept:
    """Write a session file, and beside it the weights that a training overwrites.

    Parameters
    ----------
    window, filmstrip
        As for `write_archive`.

    Raises
    ------
    StudioError
        If a file cannot be written; a session file that was there before stays as it was.
    """
    kept = keep_weights(state, path)
    if kept.files:
        write_together(kept.files)
    write_archive(path, kept.state, window, filmstrip)
    remember(used_in(kept.state))
    return kept
