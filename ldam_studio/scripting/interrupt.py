"""Handling Ctrl-C between two steps, so that partial results can be written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Wish:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.stop = False


@contextmanager
def interruptible() -> Iterator[Wish]:
    """Yield a `Wish` that the first Ctrl-C sets; a second one interrupts as usual."""
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread receives signals.
        yield wish
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        wish.stop = True
        signal.signal(signal.SIGINT, before)

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, note)
    try:
        yield wish
    finally:
        signal.signal(signal.SIGINT, before)
