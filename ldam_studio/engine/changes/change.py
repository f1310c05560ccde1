"""What may be asked of a session's settings, networks, neurons and chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """A change by its name; `engine.outline.RULES` lists names and values.

    `lane` is the number of the lane it is for. None is for all of them, or for the first one where
    the change is for one lane alone.
    """

    name: str
    value: Any = None
    lane: int | None = None
