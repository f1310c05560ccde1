"""Taking changes of settings back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DEPTH = 200
PAUSE = 0.8  # seconds between two turns of a wheel after which they are two changes


@dataclass
class _Entry:
    name: str
    before: Any
    after: Any
    when: float
    closed: bool = False


class Undo:
    """Remembers values of settings; one drag, or one burst of the wheel, is one change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done: list[_Entry] = []
        self._undone: list[_Entry] = []
        self._dragging = ""

    def note(self, name: str, before: Any, after: Any) -> None:
        """Remember a change."""
        now = self._clock()
        last = self._done[-1] if self._done else None
        same = last is not None and last.name == name and not last.closed
        if last is not None and same and (self._dragging == name or now - last.when < PAUSE):
            last.after, last.when = after, now
        else:
            self._done.append(_Entry(name, before, after, now))
            del self._done[:-DEPTH]
        self._undone.clear()

    def drag(self, name: str, begins: bool) -> None:
        """Hold the changes of a drag together, and apart from those before and after it."""
        self._dragging = name if begins else ""
        if self._done:
            self._done[-1].closed = True

    def undo(self) -> tuple[str, Any] | None:
        """Return the setting to change back and its value, or None."""
        if not self._done:
            return None
        entry = self._done.pop()
        entry.closed = True
        self._undone.append(entry)
        return entry.name, entry.before

    def redo(self) -> tuple[str, Any] | None:
        """Return the setting to change again and its value, or None."""
        if not self._undone:
            return None
        entry = self._undone.pop()
        self._done.append(entry)
        return entry.name, entry.after

    def clear(self) -> None:
        """Forget everything, as for another session."""
        self._done.clear()
        self._undone.clear()
