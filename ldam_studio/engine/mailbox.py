"""A container for the latest item that one thread leaves for another."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one item: putting replaces an item that was not taken, so nothing piles up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._item: T | None = None

    def put(self, item: T) -> None:
        """Put an item, replacing an older one."""
        with self._lock:
            self._item = item

    def take(self) -> T | None:
        """Remove and return the item; None if there is none."""
        with self._lock:
            item, self._item = self._item, None
        return item
