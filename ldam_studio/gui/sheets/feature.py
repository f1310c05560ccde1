"""The menu entry that opens the contact sheet of the layer that is chosen in the picker."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ldam_studio.engine.run_state import RunState
from ldam_studio.errors import StudioError
from ldam_studio.gui.studio import Entry, Feature, Studio
from ldam_studio.gui.task import Task
from ldam_studio.networks.sources.families import short_name

if TYPE_CHECKING:
    from ldam_studio.gui.sheets.dialog import SheetDialog
    from ldam_studio.gui.sheets.work import Place, SheetTask, Thumbnail, Wanted

SHEET = Entry(
    "contact_sheet",
    "Contact Sheet of This Layer…",
    "Ctrl+L",
    "See a picture of every neuron of the layer that is listed",
    needs_session=True,
)
FOLDER = "sheets"


class Sheets(Feature):
    """Draws a contact sheet of the layer that is listed, in a window of its own.

    While it draws, the session is paused: both would need the same processor.
    """

    entries = (SHEET,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        studio.places.add_to_menu("Explore", studio.places.action(SHEET, self.show))
        self.dialog: SheetDialog | None = None
        self._task: SheetTask | None = None
        self._other: Task | None = None
        self._place: Place | None = None
        self._shown: Wanted | None = None
        self._layer = ""
        self._paused = self._clocked = False
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        studio.model.session_changed.connect(self._forget)
        studio.model.weights_changed.connect(self._forget)

    # The window

    def show(self) -> None:
        """Show the sheet of the layer that is listed; one that is being drawn stays as it is."""
        dialog = self.dialog or self._made()
        layer = self.studio.listed_layer()
        if not dialog.is_drawing:
            if layer != self._layer:
                dialog.numbers.clear()
            self._layer = layer
            if self._is_another():
                self._look()
        dialog.come_forward()

    def leave(self) -> None:
        """End all tasks; what is drawn stays in its folder."""
        self._leave_task()
        self._leave_other()

    def close(self) -> None:
        """Remove what was only kept for this window."""
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def _made(self) -> SheetDialog:
        from ldam_studio.gui.sheets.dialog import SheetDialog

        dialog = self.dialog = SheetDialog(self.studio.places.root)
        dialog.wanted_changed.connect(self._look)
        dialog.draw_asked.connect(self._draw)
        dialog.cancel_asked.connect(self._cancel)
        dialog.save_asked.connect(self._save)
        dialog.order_chosen.connect(self._sort)
        dialog.opened.connect(self._open)
        dialog.finished.connect(lambda _code: self._cancel())
        return dialog

    def _forget(self) -> None:
        """End what belongs to a session or to weights that are no longer there."""
        self._layer, self._place, self._shown = "", None, None
        if self.dialog is not None:
            self.leave()
            self.dialog.close()

    # Drawing

    def _look(self) -> None:
        """Show the neurons that are asked for, and read those that are drawn already."""
        self._start(draws=False)

    def _draw(self) -> None:
        if self._start(draws=True) and self.studio.model.run_state is RunState.RUNNING:
            self.studio.controller.pause()
            self._paused = True

    def _cancel(self) -> None:
        self._leave_task()
        if self.dialog is not None:
            self.dialog.show_drawing(False)

    def _start(self, *, draws: bool) -> bool:
        from ldam_studio.gui.sheets.work import SheetTask

        self._leave_task()
        dialog = self.dialog
        if dialog is None:
            return False
        try:
            wanted = self._wanted()
        except StudioError as error:
            dialog.say(str(error), "danger")
            dialog.show_drawing(False)
            return False
        if wanted != self._shown:
            self._begin(wanted)
        task = self._task = SheetTask(wanted, self._base(), draws=draws)
        task.setObjectName("contact-sheet")
        task.arrived.connect(dialog.add)
        task.staged.connect(self._on_stage)
        task.done.connect(self._on_done)
        task.failed.connect(self._on_failed)
        dialog.show_drawing(draws)
        task.start()
        return True

    def _wanted(self) -> Wanted:
        from ldam_studio.gui.sheets.asking import asked

        assert self.dialog is not None
        return asked(self.studio, self.dialog, self._layer)

    def _is_another(self) -> bool:
        """Return whether another sheet is asked for than the one that is shown."""
        try:
            return self._wanted() != self._shown
        except StudioError:
            return False

    def _begin(self, wanted: Wanted) -> None:
        assert self.dialog is not None
        known = wanted.network.layer(wanted.layer)
        numbers = range(known.neurons) if wanted.numbers is None else wanted.numbers
        self._place, self._shown = None, wanted
        self.dialog.begin(
            f"{short_name(wanted.network.name)}, {wanted.layer}",
            [str(number) for number in numbers],
        )

    def _on_stage(self, stage: object) -> None:
        from ldam_studio.explore.sheets.making import DOING

        doing = getattr(stage, "doing", "")
        if self.dialog is not None and doing == DOING and not self._clocked:
            self._clocked = True
            self.dialog.begin_clock()

    def _on_done(self, place: Place) -> None:
        self._place = place
        self._cancel()
        self._sort(self.dialog.order.currentData() if self.dialog is not None else "index")

    def _on_failed(self, error: StudioError) -> None:
        self._cancel()
        if self.dialog is not None:
            self.dialog.say(str(error), "danger")

    def _leave_task(self) -> None:
        """End what is drawn or read, and let the session go on if it was paused for it."""
        self._clocked = False
        if self._task is not None:
            self._task.leave()
            self._task = None
        if self._paused:
            self._paused = False
            if self.studio.model.run_state is RunState.PAUSED:
                self.studio.controller.play()

    def _base(self) -> Path:
        if self.studio.folder is not None:
            return self.studio.folder / FOLDER
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="ldam-sheets-")
        return Path(self._temporary.name)

    # What is drawn

    def _sort(self, order: str) -> None:
        """Sort the sheet; similar pictures are found on a thread of their own."""
        from ldam_studio.gui.sheets.work import similar

        self._leave_other()
        dialog = self.dialog
        if dialog is None:
            return
        if order != "similarity":
            dialog.cells.sort_by(order)
            return
        pictures = {number: each.made.picture for number, each in dialog.cells.thumbnails.items()}
        task = self._other = Task(lambda _task: similar(pictures))
        task.setObjectName("sort-sheet")
        task.done.connect(partial(dialog.cells.sort_by, order))
        task.failed.connect(self._on_failed)
        task.start()

    def _save(self) -> None:
        from PyQt6.QtWidgets import QFileDialog

        from ldam_studio.gui.sheets.work import name_of

        dialog = self.dialog
        if dialog is None or self._task is not None:
            return
        neuron = next(iter(dialog.cells.thumbnails.values())).made.neuron
        suggested = Path(self.studio.start_folder) / f"{name_of(neuron)}.png"
        text, _ = QFileDialog.getSaveFileName(
            dialog, "Save the page", str(suggested), "Pictures (*.png)"
        )
        if text:
            path = Path(text)
            self._write(
                path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")
            )

    def _write(self, path: Path) -> None:
        """Write the page on a thread of its own."""
        from ldam_studio.explore.sheets.folder import digest_of
        from ldam_studio.gui.sheets.work import Place

        dialog = self.dialog
        if dialog is None:
            return
        try:
            wanted = self._wanted()
        except StudioError as error:
            dialog.say(str(error), "danger")
            return
        order, base, place = dialog.order.currentData(), self._base(), self._place
        self._leave_other()

        def work(_task: Task) -> int:
            spec = wanted.spec()
            found = place or Place(spec, base / digest_of(spec))
            return found.save(order, path)

        task = self._other = Task(work)
        task.setObjectName("save-sheet")
        task.done.connect(
            lambda count: dialog.say(f"Saved {path} with {count:,} neurons.", "muted")
        )
        task.failed.connect(self._on_failed)
        dialog.say(f"Saving {path} …", "muted")
        task.start()

    def _leave_other(self) -> None:
        if self._other is not None:
            self._other.leave()
            self._other = None

    def _open(self, thumbnail: Thumbnail) -> None:
        """Show a neuron with all chains at its picture; the sheet can be shown again at once."""
        from ldam_studio.gui.sheets.asking import begin_at

        assert self.dialog is not None
        self.dialog.hide()
        self._cancel()
        self._leave_other()
        neuron, place = thumbnail.made.neuron, thumbnail.place
        self.studio.notices.say(
            f"{thumbnail.made.neuron} from the contact sheet.",
            actions=(("Back to the sheet", self.show),),
            key=SHEET.name,
        )
        controller = self.studio.controller
        if self.studio.model.is_comparing:
            controller.set_neurons(neuron)
            return
        task = self._other = Task(lambda _task: place.kept(neuron))
        task.setObjectName("open-neuron")
        task.done.connect(partial(begin_at, self.studio, neuron))
        task.failed.connect(lambda _error: controller.set_neurons(neuron))
        task.start()
