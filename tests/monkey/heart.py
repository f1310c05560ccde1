"""How long the window's event loop takes for one turn, and what it does when it takes too long."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from PyQt6.QtCore import QTimer

BEAT_MS = 10
LOOK_S = 0.25


class Heart:
    """Measures the time between two turns of the event loop of the thread that makes it.

    Parameters
    ----------
    longest
        Seconds; a longer turn is a hang, and `hangs` says where the thread was meanwhile.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._last, self._rests = time.monotonic(), False
        self.turns: list[float] = []
        self.hangs: list[str] = []
        self._place = ""
        self._thread = threading.get_ident()
        self._over = threading.Event()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT_MS)
        self._watch = threading.Thread(target=self._look, name="heart", daemon=True)
        self._watch.start()

    def close(self) -> None:
        self._timer.stop()
        self._over.set()
        self._watch.join()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Leave out what the test itself does on this thread."""
        self._beat()
        self._rests = True
        try:
            yield
        finally:
            self._rests, self._last = False, time.monotonic()

    def percentile(self, share: float) -> float:
        """Return the time in seconds that this share of all turns does not exceed."""
        turns = sorted(self.turns)
        return turns[min(int(share * len(turns)), len(turns) - 1)] if turns else 0.0

    def _beat(self) -> None:
        now = time.monotonic()
        if not self._rests:
            turn = max(now - self._last - BEAT_MS / 1000, 0.0)
            self.turns.append(turn)
            if turn > self._longest:
                self.hangs.append(f"the event loop stood still for {turn:.1f} s:\n{self._place}")
        self._last = now

    def _look(self) -> None:
        """Note where the thread is when its turn has taken half of what is allowed."""
        while not self._over.wait(LOOK_S):
            if not self._rests and time.monotonic() - self._last > self._longest / 2:
                frame = sys._current_frames().get(self._thread)
                self._place = "".join(traceback.format_stack(frame)[-12:])
