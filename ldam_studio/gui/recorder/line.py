"""A queue of limited size between the thread that makes things and the one that uses them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(Generic[T]):
    """Things that wait for their turn.

    Parameters
    ----------
    most, most_bytes
        How many things may wait, and how much memory they may take; one may always wait.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._waiting: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self.is_ended = False
        self._changed = threading.Condition()

    def put(self, thing: T, size: int, patience_s: float) -> bool:
        """Add a thing of `size` bytes; return whether there was room for it within this time."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_ended or self._has_room(size), patience_s)
            if self.is_ended or not self._has_room(size):
                return False
            self._waiting.append((thing, size))
            self._bytes += size
            self._changed.notify_all()
            return True

    def end(self, *, at_once: bool = False) -> None:
        """Take nothing more; what waits is still used, unless `at_once`."""
        with self._changed:
            self.is_ended = True
            if at_once:
                self._waiting.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        """Take one thing after the other, and wait for them, until the end."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self.is_ended)
                if not self._waiting:
                    return
                thing, size = self._waiting.popleft()
                self._bytes -= size
                self._changed.notify_all()
            yield thing

    def _has_room(self, size: int) -> bool:
        if not self._waiting:
            return True
        return len(self._waiting) < self._most and self._bytes + size <= self._most_bytes
