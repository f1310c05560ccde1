"""Takes pins out of the window: dragged one by one, or all of them into a folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QDrag, QImage, QPixmap
from PyQt6.QtWidgets import QApplication, QFileDialog

from ldam_studio.errors import StudioError
from ldam_studio.gui.carry import Carried, CarriedFolder
from ldam_studio.gui.filmstrip import words
from ldam_studio.gui.saves import Saves

if TYPE_CHECKING:
    from ldam_studio.export.filmstrip.folder import Filmstrip
    from ldam_studio.export.filmstrip.pins import Pin
    from ldam_studio.gui.filmstrip.keeper import Keeper
    from ldam_studio.gui.filmstrip.panel import FilmstripPanel
    from ldam_studio.gui.studio import Studio

NOTICE = "export filmstrip"  # the key of messages
DRAGGED = 96  # pixels; width of the picture beside the pointer


class Carrying:
    """Copies pictures with their recipes.

    All of them are copied on a thread of their own, so that the session is saved meanwhile.
    """

    def __init__(self, studio: Studio, keeper: Keeper, panel: FilmstripPanel) -> None:
        self._studio, self._keeper, self._panel = studio, keeper, panel
        self._folder, self._saves = CarriedFolder(), Saves(studio, "filmstrip")

    def close(self) -> None:
        """Wait until all is saved, and remove the copies that were dragged out."""
        self._saves.close()
        self._folder.remove()

    def drag(self, pin: Pin) -> None:
        """Begin to drag a pin out of the window, once its copy is there."""
        row = self._panel.pins.row_of(pin)
        if row is None:
            return
        try:
            place = self._folder.place()
        except StudioError as error:
            self._warn(str(error))
            return
        self._keeper.do(lambda film: film.copy([(row + 1, pin)], place), self._begin, self._warn)

    def _begin(self, files: list[Path]) -> None:
        # While the files were copied, the button may have been let go.
        if not QApplication.mouseButtons() & Qt.MouseButton.LeftButton:
            return
        carried = Carried(QImage(str(files[0])), tuple(files))
        drag = QDrag(self._studio.places.root)
        drag.setMimeData(carried.data())
        drag.setPixmap(QPixmap.fromImage(carried.image.scaledToWidth(DRAGGED)))
        drag.exec(Qt.DropAction.CopyAction)

    def export_all(self) -> None:
        """Ask for a folder, and copy all pictures there."""
        pins = list(enumerate(self._panel.pins.pins, 1))
        if not pins:
            self._studio.notices.say(words.EMPTY, key=NOTICE)
            return
        place = QFileDialog.getExistingDirectory(
            self._studio.places.root, "Folder for the filmstrip", self._studio.start_folder
        )
        if place:
            self._studio.start_folder = place
            # After the jobs before it, so that all pins are written.
            self._keeper.do(lambda film: film, partial(self._save, pins, Path(place)), self._warn)

    def _save(self, pins: list[tuple[int, Pin]], place: Path, film: Filmstrip) -> None:
        def write() -> str:
            film.copy(pins, place)
            return f"Saved {words.summary(len(pins))} in {place}: pictures with their recipes."

        self._saves.start(place, write, stoppable=True)

    def _warn(self, sentence: str) -> None:
        self._studio.notices.say(sentence, "warning", key=NOTICE)
