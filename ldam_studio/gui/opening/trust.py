"""Asks for leave to run code, or to read files elsewhere, that a file from a stranger names."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ldam_studio.errors import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldam_studio.gui.session.openings import Opening
    from ldam_studio.gui.studio import Studio

MOST_NAMED, MOST_LETTERS = 3, 120
"""Names from a picture in one question, and letters of each."""


def ask_for_trust(studio: Studio, opening: Opening, trusted: Opening) -> None:
    """Ask for leave to open a session as `trusted` does; the current session continues.

    Parameters
    ----------
    opening
        The session as it opens without leave, with the code and files that are asked for.
    trusted
        The same with leave; see `Opening.trusted`.
    """
    trusted = replace(trusted, preset=opening.preset)
    if opening.code:
        said = (
            f"{opening.title} was made with code from outside this program, "
            f"{_listed(opening.code)}. Opening it runs that code with all your rights: open "
            "only what you trust."
        )
        if opening.files:
            said += f" It also reads {_listed(opening.files)}."
        offer = "I trust this code: run it"
    else:
        files = _listed(opening.files)
        said = f"{opening.title} was made with files that are not beside it: {files}."
        offer = "Read them"
    studio.notices.say(
        said, "warning", actions=((offer, partial(studio.open, trusted)),), key="trust"
    )


def _listed(names: Sequence[str]) -> str:
    """Return names in a sentence; of many, the first ones."""
    some = [plain(name, MOST_LETTERS) for name in names[:MOST_NAMED]]
    if len(names) > MOST_NAMED:
        some.append(f"{len(names) - MOST_NAMED:,} more")
    return " and ".join(some)
