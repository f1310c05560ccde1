"""Suggestions for a mistyped name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

MOST = 5


def similar(name: str, names: Sequence[str], otherwise: str) -> str:
    """Return a few of `names` that are similar to `name`, or `otherwise` if there are none."""
    return ", ".join(difflib.get_close_matches(name.casefold(), names, MOST) or [otherwise])
