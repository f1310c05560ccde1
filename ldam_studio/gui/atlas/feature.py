"""Looking through an atlas, and what becomes of a neuron that is chosen in it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer

from ldam_studio.errors import shortened
from ldam_studio.gui.control_names import in_window
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.task import Task
from ldam_studio.networks.sources.families import short_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from ldam_studio.atlas.browsing import Found
    from ldam_studio.atlas.folder import Index
    from ldam_studio.errors import StudioError
    from ldam_studio.gui.atlas.dialog import AtlasDialog
    from ldam_studio.gui.atlas.reading import Read, Reading
    from ldam_studio.gui.session.openings import Opening

SHOW = Entry(
    "show_atlas",
    "Back to the Atlas",
    "",
    "Show the atlas again that was opened last",
)
KEY = "atlas"
GROWS_MS = 3000  # between two looks whether there are further neurons
MOST_LETTERS = 200
NAME_LETTERS, TITLE_LETTERS = 18, 12
"""Letters of a neuron and of the session before it, so that the message about them fits into one
line of a small window and covers no heading below it."""


class Atlases(Feature):
    """Shows an atlas in a window of its own; a click opens a neuron with its recipe."""

    entries = (SHOW,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._again = studio.places.action(SHOW, self.show)
        self._again.setEnabled(False)
        studio.places.add_to_menu("Explore", self._again)
        studio.show_atlas = self.open
        self.dialog: AtlasDialog | None = None
        self._folder: Path | None = None
        self._reading: Reading | None = None
        self._other: Task | None = None
        self._read: Read | None = None
        self._opened: tuple[Opening, Found] | None = None
        self._grows = QTimer(studio.places.root)
        self._grows.setInterval(GROWS_MS)
        self._grows.timeout.connect(self._look_again)

    def leave(self) -> None:
        """End what is read."""
        self._grows.stop()
        self._leave_reading()
        self._leave_other()
        if self.dialog is not None:
            self.dialog.hide()  # which loads no pictures then

    # The window

    def open(self, folder: Path) -> None:
        """Look through the atlas in a folder; a failure is one message."""
        self.studio.notices.dismiss(KEY)
        self._leave_reading()
        self._leave_other()
        self._start(folder)

    def show(self) -> None:
        """Show the atlas again that was opened last."""
        if self.dialog is not None:
            self.dialog.come_forward()
            self._offer()  # again, since the button that led here has closed the message

    def _made(self) -> AtlasDialog:
        from ldam_studio.gui.atlas.dialog import AtlasDialog

        dialog = self.dialog = AtlasDialog(self.studio.places.root)
        dialog.stop_asked.connect(self._stop)
        dialog.read_asked.connect(self._go_on)
        dialog.opened.connect(self._open_neuron)
        dialog.shown.connect(self._on_shown)
        return dialog

    # Reading

    def _start(self, folder: Path) -> None:
        """Read an atlas from its beginning."""
        from ldam_studio.gui.atlas.reading import Reading

        reading = self._reading = Reading(folder)
        reading.began.connect(partial(self._begin, folder))
        self._follow(reading)
        reading.failed.connect(self._refuse)
        reading.start()

    def _begin(self, folder: Path, index: Index) -> None:
        """Show what is an atlas."""
        dialog = self.dialog or self._made()
        self._folder, self._read = folder.absolute(), None
        network = short_name(str(index.atlas.get("network", "")))[:MOST_LETTERS]
        dialog.begin(network, self._folder, index.layers)
        self._again.setEnabled(True)
        dialog.show_reading(True)
        if self._reading is not None:
            self._reading.staged.connect(dialog.show_stage)
        dialog.come_forward()

    def _follow(self, reading: Reading) -> None:
        reading.arrived.connect(self._add)
        reading.done.connect(self._on_read)

    def _add(self, found: list[Found]) -> None:
        if self.dialog is not None:
            self.dialog.add(found)

    def _look_again(self) -> None:
        """Read what was added since; nothing is said as long as there is nothing new."""
        self._go_on(quietly=True)

    def _go_on(self, *, quietly: bool = False) -> None:
        from ldam_studio.gui.atlas.reading import Reading

        dialog, folder = self.dialog, self._folder
        if dialog is None or folder is None or self._reading is not None:
            return
        known = frozenset(dialog.cells.table.paths)  # another thread reads it
        before = None if self._read is None else self._read.stamp
        reading = self._reading = Reading(folder, known, before)
        if not quietly:
            dialog.show_reading(True)
            reading.staged.connect(dialog.show_stage)
        self._follow(reading)
        reading.failed.connect(self._on_lost)
        reading.start()

    def _on_read(self, read: Read | None) -> None:
        self._leave_reading()
        dialog = self.dialog
        if dialog is None or (read is None and not dialog.is_reading):
            return  # nothing has changed
        self._read = read or self._read
        dialog.show_reading(False)
        damaged = 0 if self._read is None else len(self._read.damaged)
        dialog.say(_damaged_words(damaged, len(dialog.cells.table) + damaged), "warning")
        if dialog.isVisible():
            self._grows.start()

    def _on_lost(self, error: StudioError) -> None:
        """Say that an atlas cannot be read any more, and look no further."""
        self._leave_reading()
        self._grows.stop()
        if self.dialog is not None:
            self.dialog.show_stopped()
            self.dialog.say(in_window(str(error)), "danger")

    def _refuse(self, error: StudioError) -> None:
        self._leave_reading()
        self.studio.notices.say(in_window(str(error)), "danger", key=KEY)

    def _stop(self) -> None:
        self._leave_reading()
        if self.dialog is not None:
            self.dialog.show_stopped()

    def _on_shown(self, on: bool) -> None:
        if not on:
            self._grows.stop()
            if self.dialog is not None and self.dialog.is_reading:
                self._stop()
            self._leave_reading()  # perhaps a quiet look for further neurons
        elif self._read is not None:
            self._grows.start()

    def _leave_reading(self) -> None:
        if self._reading is not None:
            self._reading.leave()
            self._reading = None

    # A neuron

    def _open_neuron(self, found: Found) -> None:
        """Open the session of a neuron from its start, as that of a picture is opened."""
        self._leave_other()
        studio = self.studio
        task = self._other = Task(lambda _task: studio.picture_opening(found.path))
        task.setObjectName("open-neuron")
        task.done.connect(partial(self._open_session, found))
        task.failed.connect(self._say_in_dialog)
        task.start()

    def _open_session(self, found: Found, opening: Opening | None) -> None:
        self._leave_other()
        if opening is None:
            return
        if self.dialog is not None:
            self.dialog.hide()
        studio, neuron = self.studio, found.row.neuron
        said = f"{shortened(neuron, NAME_LETTERS)}, from its start."
        opening = replace(opening, title=neuron, note=said)
        studio.open(opening)
        if studio.controller.current is not opening:
            return  # what it needs has to be allowed first
        self._opened = opening, found
        studio.notices.dismiss("note")  # which offers less
        self._offer()

    def _offer(self) -> None:
        """Say which neuron is open, if it still is, and offer what leads on."""
        controller, studio = self.studio.controller, self.studio
        if self._opened is None or controller.current is not self._opened[0]:
            return
        opening, found = self._opened
        offers: list[tuple[str, Callable[[], object]]] = [
            ("Back to the Atlas", self.show),
            ("Its Picture", partial(studio.show_picture, found.path)),
        ]
        back = controller.way_back
        if back is not None:
            title = shortened(back.title, TITLE_LETTERS)
            offers.append((f"Back to {title}", partial(studio.open, back)))
        studio.notices.say(opening.note, actions=offers, key="note")

    def _say_in_dialog(self, error: StudioError) -> None:
        self._leave_other()
        if self.dialog is not None:
            self.dialog.say(in_window(str(error)), "danger")

    def _leave_other(self) -> None:
        if self._other is not None:
            self._other.leave()
            self._other = None


def _damaged_words(damaged: int, files: int) -> str:
    """Return a sentence about files that cannot be read; empty if there are none."""
    if not damaged:
        return ""
    of = f"{damaged:,} of {files:,} files {'is' if damaged == 1 else 'are'} damaged and left out"
    return f"{of}; the command that drew the atlas draws them again."
