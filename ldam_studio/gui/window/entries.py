"""The actions of the window and of all features, for the list of keys."""

from __future__ import annotations

from ldam_studio.gui.features import FEATURES
from ldam_studio.gui.studio import Entry
from ldam_studio.gui.window import view_menu

VIEW = [row.name for row in FEATURES].index("help")
"""Rank of the window's own actions: they stand before Help in the toolbar and the key list."""


def entries() -> tuple[Entry, ...]:
    """Return all entries in the order of the features; imports every feature."""
    found: list[Entry] = []
    for rank, row in enumerate(FEATURES):
        if rank == VIEW:
            found += view_menu.ENTRIES
        found += row.load().entries
    return (*found, view_menu.QUIT)
