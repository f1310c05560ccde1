"""The one door by which changes reach a running session."""

from __future__ import annotations

import threading

from ldam_studio.engine.changes.change import Change, merged


class Inbox:
    """An ordered inbox, merged per setting: it never blocks, nor grows while a slider is dragged.

    Any thread may post; the sampler's thread drains it at a step's boundary.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: list[Change] = []

    def post(self, change: Change) -> None:
        """Add a change."""
        with self._lock:
            self._changes = merged(self._changes, change)

    def drain(self) -> list[Change]:
        """Take everything out, oldest first."""
        with self._lock:
            changes, self._changes = self._changes, []
        return changes

    def urgent(self) -> bool:
        """Whether something waits after which a step in progress would be seen by nobody."""
        with self._lock:
            return any(change.name in ("neurons", "network", "compare") for change in self._changes)

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._changes)
