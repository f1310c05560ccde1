"""Settings and values of earlier versions, which can still be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FORMER = {("mode", "reference"): ("kernel", "bidmach")}
"""Settings and values of earlier versions, and their present names."""


def as_today(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of any version under their present names."""
    return dict(
        FORMER.get((name, value), (name, value)) if isinstance(value, str) else (name, value)
        for name, value in values.items()
    )
