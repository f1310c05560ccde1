"""Ctrl-C as a wish that is granted between two steps, so that what there is can be written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Wish:
    """Whether somebody asked to stop."""

    def __init__(self) -> None:
        self.stop = False


@contextmanager
def interruptible() -> Iterator[Wish]:
    """Note the first Ctrl-C in the `Wish` that is given; a second one interrupts as usual."""
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        # Signals reach the main thread only; there is nothing to arrange for here.
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
