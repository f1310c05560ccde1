"""Words from files, as messages show them."""

from __future__ import annotations

MOST_LETTERS = 80


def shown(text: str) -> str:
    """Return a text from a file as one short line.

    The middle of a long one is left out, and what cannot be printed is written as Python writes it.
    """
    half = MOST_LETTERS // 2
    short = text if len(text) <= MOST_LETTERS else f"{text[:half]}…{text[-half:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)
