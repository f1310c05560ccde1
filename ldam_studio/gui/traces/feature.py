"""Connects the traces to the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.files import write_bytes
from ldam_studio.gui.saves import Saves
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.target_name import ask_for_target
from ldam_studio.gui.traces.traces import Traces

if TYPE_CHECKING:
    from ldam_studio.gui.session.openings import Opening


EXPORT = Entry(
    "export_traces",
    "Export Traces…",
    "",
    "Save the steps that the traces show as a table, CSV",
    needs_session=True,
)


class Tracing(Feature):
    """Adds the traces below the images, and saves them as a table."""

    entries = (EXPORT,)

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
        studio.places.add_to_menu("File", studio.places.action(EXPORT, self.export))
        self._saves = Saves(studio, "traces")

    def export(self) -> None:
        """Ask for a file, and save the steps that are shown."""
        from ldam_studio.export.trace_table import table_bytes

        table = self.traces.table(self.studio.model.outline)
        if not len(table.steps):
            self.studio.notices.say("There are no steps yet to export; run the chains.", "warning")
            return
        path = ask_for_target(self.studio, "Export Traces To", "traces.csv", "Tables (*.csv)")
        if path is None:
            return

        def write() -> str:
            write_bytes(path, table_bytes(table))
            return f"Saved {path}."

        self._saves.start(path, write, stoppable=True)

    def close(self) -> None:
        """Wait until the table is saved."""
        self._saves.close()

    def _show_opening(self, opening: Opening) -> None:
        """Clear the plots, and say that a session is being opened."""
        self.traces.set_empty(f"Opening “{opening.title}” …")
        self.traces.reset()

    def _begin(self) -> None:
        self.traces.set_empty()
        self.traces.reset()
        self.traces.set_front(self.studio.model.front)
