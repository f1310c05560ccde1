"""A change to a session's settings, networks, neurons or chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """A change by its name; `engine.changes.rules.RULES` lists names and values.

    `lane` is the number of the lane to change. None means all lanes, or the first lane if the
    change always applies to a single one.
    """

    name: str
    value: Any = None
    lane: int | None = None
