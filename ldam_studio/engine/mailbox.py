"""A box for one thing: whoever looks finds the latest, however slowly they look."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Latest wins: putting replaces what was not taken, so nothing ever piles up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._item: T | None = None

    def put(self, item: T) -> None:
        """Leave an item, in place of an older one."""
        with self._lock:
            self._item = item

    def take(self) -> T | None:
        """Take the item out, or None."""
        with self._lock:
            item, self._item = self._item, None
        return item
