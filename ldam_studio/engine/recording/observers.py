"""Those who look at a session after each step and each change, on the runner's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ldam_studio.engine.advance import StepInfo
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import in_short

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

    def welcome(self, state: SessionState) -> list[str]:
        """Show the state to those who are new, before the next step; see `tell`."""
        if not self._new:
            return []
        with self._lock:
            new, self._new = self._new, []
        self._known += new
        return self._tell(new, state, None)

    def tell(self, state: SessionState, info: StepInfo | None) -> list[str]:
        """Tell all observers what happened.

        The session goes on without an observer that fails, for want of memory above all; a
        sentence about each is returned.
        """
        return self._tell(self._known, state, info)

    def _tell(
        self, observers: Sequence[Observer], state: SessionState, info: StepInfo | None
    ) -> list[str]:
        said = []
        for observer in tuple(observers):
            try:
                observer(state, info)
            except Exception as error:
                self._known.remove(observer)
                said.append(
                    f"The record of the chains has stopped ({in_short(error)}); save the session "
                    "and open it again to have one."
                )
        return said
