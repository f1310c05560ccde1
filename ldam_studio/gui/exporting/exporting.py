"""The action that exports a picture of the current moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.exporting.last_choice import LastChoice
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.waiting import PatientQuestion

if TYPE_CHECKING:
    from ldam_studio.engine.state import SessionState
    from ldam_studio.export.exporting import Exported
    from ldam_studio.export.shown import Shown

EXPORT = Entry(
    "export",
    "Export Picture…",
    "Ctrl+E",
    "Save a picture that carries its recipe and can be replayed",
    "export",
    "Export",
)


class Exporting(Feature):
    """Exports pictures of a copy of the session, taken when the user asks for the export."""

    entries = (EXPORT,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        export = studio.places.action(EXPORT, self.export)
        studio.places.add_to_menu("File", export)
        studio.places.add_to_toolbar(export)
        folder = studio.folder
        self.last = LastChoice(None if folder is None else folder / "export.json")
        self._question = PatientQuestion(studio, "export", "export the picture")

    def export(self) -> None:
        """Copy the session after its current step, ask what to export, and save it."""
        self._question.ask(snapshot, self._choose)

    def leave(self) -> None:
        """Cancel an export that is still waiting for the session."""
        self._question.cancel()

    def _choose(self, state: SessionState) -> None:
        from ldam_studio.export.replay import steps_to_replay
        from ldam_studio.export.shown import picture_of
        from ldam_studio.gui.exporting.dialog import KINDS, ExportDialog
        from ldam_studio.gui.exporting.recipe_note import recipe_note

        pictures = {}
        for what in KINDS:
            try:
                pictures[what] = picture_of(state, self._shown(what))
            except StudioError:
                # No sample has been averaged yet, so this kind of picture is not available.
                continue
        dialog = ExportDialog(
            {what: (p.shape[1], p.shape[0]) for what, p in pictures.items()},
            pictures.get,
            self.last,
            self.studio.places.root,
            recipe_note(
                [lane.network for lane in state.lanes],
                self.studio.read_from.of,
                steps_to_replay(state),
            ),
        )
        choice = dialog.ask()
        dialog.deleteLater()
        if choice is None:
            return
        from ldam_studio.export.exporting import export

        try:
            done = export(state, self._shown(choice.what, choice.zoom), choice.path)
        except StudioError as error:
            self.studio.notices.say(str(error), "danger")
        else:
            self.studio.notices.say(_words(done))

    def _shown(self, what: str, zoom: int = 1) -> Shown:
        from ldam_studio.export.shown import Shown

        model = self.studio.model
        return Shown(what, model.front, model.display.mode, model.display.scale, zoom)


def _words(done: Exported) -> str:
    """Return one sentence with the saved files, and a warning if burn-in was not complete."""
    words = f"Saved {done.path}"
    if done.sidecar is not None:
        words += f" and {done.sidecar.name}, which its replay needs"
    if not done.burned_in:
        words += "; the chains had not burned in yet"
    elif done.settling:
        words += "; the chains were still settling"
    return f"{words}."
