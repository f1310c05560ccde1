"""What a file from a stranger may not do before this person gives leave: run code, read files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ldam_studio.export.locate import Nearby
from ldam_studio.networks.sources.families import family_of, runs_code
from ldam_studio.networks.sources.in_memory import is_in_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ldam_studio.engine.description import Reference
    from ldam_studio.engine.state import SessionState
    from ldam_studio.gui.session.openings import Opening


def with_leave(
    opening: Opening,
    make: Callable[[Nearby], SessionState],
    folder: Path,
    named: Iterable[Reference],
    elsewhere: tuple[str, ...],
    what: str,
) -> Opening:
    """Return how to open the session of a file that may come from a stranger.

    Code that the file names is not run by that, nor are files elsewhere read; see
    `Opening.trusted`.

    Parameters
    ----------
    opening
        How the window shows it.
    make
        Makes the session, given what opens its networks.
    folder
        The folder of the file.
    named
        The networks and discriminators that the file names.
    elsewhere
        Files and folders that it names and that are read only with this person's leave.
    what
        What the file is: a "picture" or a "session file".
    """
    named = tuple(named)
    nearby = Nearby(folder, what=what)
    published = dict.fromkeys(name for name in map(_published, named) if name)
    opening = replace(opening, make=lambda: make(nearby), published=tuple(published))
    code = dict.fromkeys(nearby.code_of(one) for one in named if _is_code(one.name))
    if not code and not elsewhere:
        return opening
    leave = Nearby(folder, allow_code=True, allow_files=True, what=what)
    trusted = replace(opening, make=lambda: make(leave))
    return replace(opening, code=tuple(code), files=elsewhere, trusted=trusted)


def _is_code(name: str) -> bool:
    # Discriminators have names of their own, and a module in memory has no code to ask for.
    return ":" in name and runs_code(name) and not is_in_memory(name)


def _published(reference: Reference) -> str:
    """Return the name of a library's network with published weights; empty for other networks."""
    name = reference.name
    return name if reference.weights is None and family_of(name).is_library else ""
