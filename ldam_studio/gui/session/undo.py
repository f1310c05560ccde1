"""Taking changes of settings and neurons back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

DEPTH = 200
PAUSE = 0.8  # seconds between two turns of a wheel after which they are two changes
MOMENT = "moment"  # stands for what is taken back by going back to where it was done
NEURONS = "neurons"  # and of which lane, which is no setting
MOST_MOMENTS = 5  # each of them keeps the chains and averages of then


@dataclass
class _Entry:
    before: dict[str, Any]
    after: dict[str, Any]
    when: float
    closed: bool = False


class Undo:
    """Remembers values of settings; a drag, a burst of the wheel or a preset is one change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done: list[_Entry] = []
        self._undone: list[_Entry] = []
        self._dragging = ""
        self._dragged: _Entry | None = None  # what the last drag changed, if anything

    def note(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Remember a change of one or several settings: their values before and after it."""
        now = self._clock()
        last = self._done[-1] if self._done else None
        same = last is not None and list(last.after) == list(after) and not last.closed
        dragging = self._dragging in after
        self._undone.clear()
        if last is not None and same and (dragging or now - last.when < PAUSE):
            last.after, last.when = dict(after), now
            if last.after == last.before:
                self._done.pop()
            return
        # Several at once are a change of their own.
        entry = _Entry(dict(before), dict(after), now, closed=len(after) > 1)
        self._dragged = entry if dragging else self._dragged
        self._done.append(entry)
        del self._done[:-DEPTH]

    def note_moment(self, before: object, again: object) -> None:
        """Remember what no setting takes back: the moment before it, and how to do it again.

        Both are returned under the name `MOMENT`.
        """
        self._undone.clear()
        entry = _Entry({MOMENT: before}, {MOMENT: again}, self._clock(), closed=True)
        self._done.append(entry)
        kept = [entry for entry in self._done if MOMENT in entry.before]
        if len(kept) > MOST_MOMENTS:
            self._done.remove(kept[0])

    def drag(self, name: str, begins: bool) -> None:
        """Hold the changes of a drag together, and apart from those before and after it."""
        if begins:
            self._dragged = None
        self._dragging = name if begins else ""
        if self._done:
            self._done[-1].closed = True

    def resume(self, name: str) -> None:
        """Go on with the drag before, as the second click of two does with what the first did."""
        if self._done and self._done[-1] is self._dragged:
            self._dragged.closed = False
        self._dragging = name

    def undo(self) -> dict[str, Any] | None:
        """Return the settings to change back, with their values, or None."""
        if not self._done:
            return None
        entry = self._done.pop()
        entry.closed = True
        self._undone.append(entry)
        return entry.before

    def redo(self) -> dict[str, Any] | None:
        """Return the settings to change again, with their values, or None."""
        if not self._undone:
            return None
        entry = self._undone.pop()
        self._done.append(entry)
        return entry.after

    def clear(self) -> None:
        """Forget everything, as for another session."""
        self._done.clear()
        self._undone.clear()
