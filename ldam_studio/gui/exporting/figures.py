"""The actions that export a figure for a paper, and the arrays of the session."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.state import snapshot
from ldam_studio.files import write_bytes
from ldam_studio.gui.exporting.words import saved
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.studio import Entry, Studio
from ldam_studio.gui.target_name import ask_for_target
from ldam_studio.gui.waiting import PatientQuestion

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState
    from ldam_studio.export.figure import Figure
    from ldam_studio.export.shown import Shown
    from ldam_studio.gui.exporting.figure_dialog import ChosenFigure, FigureChoice
    from ldam_studio.gui.saves import Saves

FIGURE = Entry(
    "export_figure",
    "Export Figure…",
    "Ctrl+Shift+E",
    "Save a figure for a paper, as PDF or SVG with title, settings and scale",
    needs_session=True,
)
ARRAYS = Entry(
    "export_arrays",
    "Export Arrays…",
    "",
    "Save samples, averages, neurons and settings as arrays that numpy reads",
    needs_session=True,
)
MOST_PREVIEWED = 4_000_000  # pixels; more take too long to draw while somebody types


class Figures:
    """Exports figures and arrays of a copy of the session, for the feature that exports pictures.

    Attributes
    ----------
    actions
        Its entries of the menu.
    """

    def __init__(self, studio: Studio, saves: Saves) -> None:
        self.studio = studio
        self.actions = (
            studio.places.action(FIGURE, self.export_figure),
            studio.places.action(ARRAYS, self.export_arrays),
        )
        self._question = PatientQuestion(studio, "figure", "export the figure")
        self._of_arrays = PatientQuestion(studio, "arrays", "export the arrays")
        self._saves = saves
        self._last: LastChoice[FigureChoice] | None = None

    def export_figure(self) -> None:
        """Copy the session after its current step, ask for a figure, and save it."""
        self._question.ask(snapshot, self._choose)

    def export_arrays(self) -> None:
        """Copy the session after its current step, ask for a file, and save the arrays."""
        from ldam_studio.export.arrays import values_of

        self._of_arrays.ask(lambda state: (snapshot(state), values_of(state)), self._save_arrays)

    def leave(self) -> None:
        """Cancel an export that is still waiting for the session."""
        self._question.cancel()
        self._of_arrays.cancel()

    def _choose(self, state: SessionState) -> None:
        from ldam_studio.export.figure import figure_of, title_of
        from ldam_studio.export.shown import OF_ONE, can_show
        from ldam_studio.gui.exporting.dialog import KINDS
        from ldam_studio.gui.exporting.figure_dialog import FigureChoice, FigureDialog

        shown = {what: self._shown(what) for what in KINDS}
        titles = {w: title_of(state, each) for w, each in shown.items() if can_show(state, each)}

        @cache
        def preview(what: str) -> Figure | None:
            chains = 1 if what in OF_ONE else len(state.lane.neurons)
            pixels = sum(prod(lane.chains.x.shape[-2:]) for lane in state.lanes) * chains
            return figure_of(state, shown[what], "") if pixels <= MOST_PREVIEWED else None

        folder = self.studio.folder
        if self._last is None:
            file = None if folder is None else folder / "figure.json"
            self._last = LastChoice(FigureChoice(), file)
        dialog = FigureDialog(titles, preview, self._last, self.studio.places.root)
        choice = dialog.ask()
        dialog.deleteLater()
        if choice is not None:
            self._save(state, shown[choice.what], choice)

    def _save(self, state: SessionState, shown: Shown, choice: ChosenFigure) -> None:
        from ldam_studio.export.exporting import export
        from ldam_studio.export.figure import figure_of
        from ldam_studio.gui.exporting.figure_page import WRITERS

        def write() -> str:
            figure = figure_of(state, shown, choice.title)
            writer = WRITERS[choice.path.suffix.lower()]
            done = export(
                state,
                shown,
                choice.path,
                encode=lambda _picture, recipe: writer(figure, choice.width, recipe),
            )
            return saved(done)

        self._saves.start(choice.path, write, stoppable=True)

    def _save_arrays(self, found: tuple[SessionState, dict[str, Any]]) -> None:
        from ldam_studio.export.arrays import arrays_of, npz

        state, values = found
        path = ask_for_target(self.studio, "Export Arrays To", "chains.npz", "Arrays (*.npz)")
        if path is None:
            return

        def write() -> str:
            write_bytes(path, npz(arrays_of(state) | values))
            return f"Saved {path}."

        self._saves.start(path, write, stoppable=True)

    def _shown(self, what: str) -> Shown:
        from ldam_studio.export.shown import Shown

        model = self.studio.model
        return Shown(what, model.front, model.display.mode, model.display.scale)
