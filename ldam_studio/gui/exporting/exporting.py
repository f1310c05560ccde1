"""The action that exports a picture of the current moment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QDrag, QGuiApplication, QPixmap
from PyQt6.QtWidgets import QApplication

from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.exporting.carry import Carrier
from ldam_studio.gui.exporting.last_choice import LastChoice
from ldam_studio.gui.qt import present
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.waiting import PatientQuestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtCore import QMimeData

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

COPY_AVERAGE = Entry(
    "copy_average",
    "Copy Running Average",
    "Ctrl+C",
    "Put the average on the clipboard, as an image and as a file with its recipe",
    canvas=True,
)
COPY_RAW = Entry(
    "copy_raw",
    "Copy Raw Sample",
    "Ctrl+Shift+C",
    "Put the raw sample on the clipboard, as an image and as a file with its recipe",
    canvas=True,
)
DRAGGED = 96  # pixels; width of the picture beside the pointer while it is dragged
MOST_CARRIED = 1024  # pixels of a side; what is copied is enlarged up to it


class Exporting(Feature):
    """Exports pictures of a copy of the session, taken when the user asks for the export."""

    entries = (EXPORT, COPY_AVERAGE, COPY_RAW)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        export = studio.places.action(EXPORT, self.export)
        studio.places.add_to_menu("File", export)
        studio.places.add_to_toolbar(export)
        average = studio.places.action(COPY_AVERAGE, partial(self._carry, "average", copy))
        raw = studio.places.action(COPY_RAW, partial(self._carry, "raw", copy))
        studio.places.add_to_menu("Edit", average, raw)
        studio.places.add_to_image_menu(average, raw, export)
        studio.places.on_image_dragged(partial(self._carry, then=self._drag))
        folder = studio.folder
        self.last = LastChoice(None if folder is None else folder / "export.json")
        self._question = PatientQuestion(studio, "export", "export the picture")
        self._carrier = Carrier(self._shown)

    def export(self) -> None:
        """Copy the session after its current step, ask what to export, and save it."""
        self._question.ask(snapshot, self._choose)

    def leave(self) -> None:
        """Cancel an export that is still waiting for the session."""
        self._question.cancel()

    def _choose(self, state: SessionState) -> None:
        from ldam_studio.export.kept_weights import overwritten_in
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
                overwritten_in(state),
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

    def _carry(self, what: str, then: Callable[[QMimeData], object]) -> None:
        """Write a picture as a temporary file, and copy it or drag it."""

        def carry(state: SessionState) -> None:
            side = max(state.lane.chains.x.shape[-2:])
            zoom = max(1, min(self.last.read().zoom, MOST_CARRIED // side))
            try:
                data = self._carrier.carry(state, what, zoom)
            except StudioError as error:
                self.studio.notices.say(str(error), "warning")
            else:
                then(data)

        self._question.ask(snapshot, carry)

    def _drag(self, data: QMimeData) -> None:
        # While a long step ended, the user may have let the button go.
        if QApplication.mouseButtons() & Qt.MouseButton.LeftButton:
            drag = QDrag(self.studio.places.root)
            drag.setMimeData(data)
            drag.setPixmap(QPixmap.fromImage(data.imageData()).scaledToWidth(DRAGGED))
            drag.exec(Qt.DropAction.CopyAction)

    def _shown(self, what: str, zoom: int = 1) -> Shown:
        from ldam_studio.export.shown import Shown

        model = self.studio.model
        return Shown(what, model.front, model.display.mode, model.display.scale, zoom)


def copy(data: QMimeData) -> None:
    """Put data on the clipboard."""
    present(QGuiApplication.clipboard()).setMimeData(data)


def _words(done: Exported) -> str:
    """Return one sentence with the saved files, and a warning if burn-in was not complete."""
    words = f"Saved {done.path}"
    if done.sidecar is not None:
        words += f" and {done.sidecar.name}, which its replay needs"
    if done.weights:
        files = " and ".join(file.name for file in done.overwritten)
        copies = " and ".join(file.name for file in done.weights)
        words += f"; the training overwrites {files}, so that the replay uses {copies}"
    if not done.burned_in:
        words += "; the chains had not burned in yet"
    elif done.settling:
        words += "; the chains were still settling"
    return f"{words}."
