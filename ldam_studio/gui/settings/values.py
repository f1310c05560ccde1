"""Converts values of settings to texts and numbers, and back."""

from __future__ import annotations

import re

MIXED = "mixed"
_WITH_COMMA = re.compile(r"\s*[+-]?\d*,\d+(e[+-]?\d+)?\s*", re.IGNORECASE)
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*")


def text_of(value: object) -> str:
    """Return a value as a text: numbers have four significant digits, unequal ones are "mixed"."""
    if isinstance(value, tuple):
        return text_of(value[0]) if len(set(value)) == 1 else MIXED
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def number_of(value: object) -> float | None:
    """Return the number that a slider shows: the mean of several, None for "auto"."""
    if isinstance(value, tuple):
        return float(sum(value) / len(value))
    return float(value) if isinstance(value, int | float) else None


def with_point(text: str) -> str:
    """Replace a decimal comma by a point, unless the comma may separate thousands."""
    is_decimal = _WITH_COMMA.fullmatch(text) and not _THOUSANDS.fullmatch(text)
    return text.replace(",", ".") if is_decimal else text
