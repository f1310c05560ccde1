"""Measuring how fast a session steps."""

from __future__ import annotations

import time

MEASURE_S = 0.5


class Speed:
    """Steps per second, averaged over at least half a second."""

    def __init__(self) -> None:
        self.value = 0.0
        self._steps = 0
        self._since = time.monotonic()

    def count(self) -> None:
        """Count a step."""
        self._steps += 1
        elapsed = time.monotonic() - self._since
        if elapsed >= MEASURE_S:
            self.value = self._steps / elapsed
            self._steps, self._since = 0, time.monotonic()
