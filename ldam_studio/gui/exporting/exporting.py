"""The actions that export the current moment, as a picture above all."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QDrag, QGuiApplication, QPixmap
from PyQt6.QtWidgets import QApplication

from ldam_studio.engine.state import snapshot
from ldam_studio.errors import StudioError
from ldam_studio.gui.carry import Carried, CarriedFolder, carried
from ldam_studio.gui.exporting.figures import ARRAYS, FIGURE, Figures
from ldam_studio.gui.exporting.last_choice import Choice
from ldam_studio.gui.exporting.words import saved
from ldam_studio.gui.last_choice import LastChoice
from ldam_studio.gui.qt import present
from ldam_studio.gui.saves import Saves
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.waiting import PatientQuestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from ldam_studio.engine.state import SessionState
    from ldam_studio.export.shown import Shown
    from ldam_studio.gui.task import Task

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

    entries = (EXPORT, FIGURE, ARRAYS, COPY_AVERAGE, COPY_RAW)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        export = studio.places.action(EXPORT, self.export)
        self._saves = Saves(studio, "export")
        self._figures = Figures(studio, self._saves)
        studio.places.add_to_menu("File", export, *self._figures.actions)
        studio.places.add_to_toolbar(export)
        average = studio.places.action(COPY_AVERAGE, partial(self._carry, "average", copy))
        raw = studio.places.action(COPY_RAW, partial(self._carry, "raw", copy))
        studio.places.add_to_menu("Edit", average, raw)
        studio.places.add_to_image_menu(average, raw, export)
        studio.places.on_image_dragged(partial(self._carry, then=self._drag))
        folder = studio.folder
        self.last = LastChoice(Choice(), None if folder is None else folder / "export.json")
        studio.start_folder = self.last.read().folder
        self._question = PatientQuestion(studio, "export", "export the picture")
        self._folder = CarriedFolder()
        self._carrying: Task | None = None

    def export(self) -> None:
        """Copy the session after its current step, ask what to export, and save it."""
        self._question.ask(snapshot, self._choose)

    def leave(self) -> None:
        """Cancel an export that is still waiting for the session, and what is being copied."""
        self._question.cancel()
        self._figures.leave()
        self._stop_carrying()

    def close(self) -> None:
        """Wait until all exports are saved, and remove what was copied."""
        self._saves.close()
        self._folder.remove()

    def _choose(self, state: SessionState) -> None:
        from ldam_studio.export.exporting import export
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
            photographs=any(kept.file is not None for kept in state.pictures),
        )
        choice = dialog.ask()
        dialog.deleteLater()
        if choice is None:
            return
        self.studio.start_folder = str(choice.path.parent)
        shown = self._shown(choice.what, choice.zoom)
        self._saves.start(
            choice.path,
            lambda: saved(export(state, shown, choice.path, photographs=choice.photographs)),
        )

    def _carry(self, what: str, then: Callable[[Carried], object]) -> None:
        """Write a picture as a temporary file on a thread of its own, and copy it or drag it."""

        def carry(state: SessionState) -> None:
            self._stop_carrying()
            try:
                place = self._folder.place()
            except StudioError as error:
                fail(error)
                return
            side = max(state.lane.chains.x.shape[-2:])
            zoom = max(1, min(self.last.read().zoom, MOST_CARRIED // side))
            shown = self._shown(what, zoom)
            task = self._carrying = self._saves.task(lambda: carried(state, shown, place))
            task.setObjectName("carry")
            task.done.connect(then)
            task.failed.connect(fail)
            task.start()

        def fail(error: StudioError) -> None:
            self.studio.notices.say(str(error), "warning")

        self._question.ask(snapshot, carry)

    def _stop_carrying(self) -> None:
        if self._carrying is not None:
            self._carrying.leave()
            self._carrying = None

    def _drag(self, picture: Carried) -> None:
        # While a long step ended, or the file was written, the user may have let the button go.
        if QApplication.mouseButtons() & Qt.MouseButton.LeftButton:
            drag = QDrag(self.studio.places.root)
            drag.setMimeData(picture.data())
            drag.setPixmap(QPixmap.fromImage(picture.image.scaledToWidth(DRAGGED)))
            drag.exec(Qt.DropAction.CopyAction)

    def _shown(self, what: str, zoom: int = 1) -> Shown:
        from ldam_studio.export.shown import Shown

        model = self.studio.model
        return Shown(what, model.front, model.display.mode, model.display.scale, zoom)


def copy(picture: Carried) -> None:
    """Put a picture on the clipboard."""
    present(QGuiApplication.clipboard()).setMimeData(picture.data())
