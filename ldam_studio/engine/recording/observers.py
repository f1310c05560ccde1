"""Those who look at a session after each step and each change, on the runner's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ldam_studio.engine.advance import StepInfo
from ldam_studio.engine.state import SessionState

Observer = Callable[[SessionState, StepInfo | None], None]
"""Called with the state and what happened; None at first, and after the session went back to a
snapshot. It must be quick, and must neither keep nor change the state."""


class Observers:
    """The observers of one session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: list[Observer] = []
        self._known: list[Observer] = []

    def add(self, observer: Observer) -> None:
        """Add an observer, from any thread; it is told of the next step and all later ones."""
        with self._lock:
            self._new.append(observer)

    def welcome(self, state: SessionState) -> None:
        """Show the state to those who are new, before the next step."""
        if not self._new:
            return
        with self._lock:
            new, self._new = self._new, []
        for observer in new:
            observer(state, None)
        self._known += new

    def tell(self, state: SessionState, info: StepInfo | None) -> None:
        """Tell all observers what happened."""
        for observer in self._known:
            observer(state, info)
