"""Connects the traces to the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.gui.studio import Feature, Studio
from ldam_studio.gui.traces.traces import Traces

if TYPE_CHECKING:
    from ldam_studio.gui.session.openings import Opening


class Tracing(Feature):
    """Adds the traces below the images."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        model = studio.model
        self.traces = Traces()
        studio.controller.opening.connect(self._show_opening)
        model.session_changed.connect(self._begin)
        model.front_changed.connect(self.traces.set_front)
        studio.frames.shown.connect(self.traces.add)
        opening = studio.controller.current
        if model.is_open:
            self._begin()
        elif opening is not None:
            self._show_opening(opening)
        studio.places.add_tab("Traces", self.traces)

    def _show_opening(self, opening: Opening) -> None:
        """Clear the plots, and say that a session is being opened."""
        self.traces.set_empty(f"Opening “{opening.title}” …")
        self.traces.reset()

    def _begin(self) -> None:
        self.traces.set_empty()
        self.traces.reset()
        self.traces.set_front(self.studio.model.front)
