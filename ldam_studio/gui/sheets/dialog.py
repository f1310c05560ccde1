"""The window of a contact sheet: what it shows, how far it is, and its order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import QModelIndex, QTimer, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from ldam_studio.explore.sheets.ordering import ORDERS
from ldam_studio.explore.sheets.spec import CHAINS, MOST_CHAINS_EACH, STEPS
from ldam_studio.gui.count_box import CountBox
from ldam_studio.gui.neuron_grid.window import GridWindow
from ldam_studio.gui.neuron_grid.words import duration
from ldam_studio.gui.sheets.cells import Cells

if TYPE_CHECKING:
    from ldam_studio.gui.sheets.work import Thumbnail

MOST_STEPS = 100_000
SORT_MS = 250  # from a picture that arrives to the order that has it
PAUSED = "The session is paused meanwhile."


class SheetDialog(GridWindow):
    """A window of its own beside the studio; closing it stops the drawing, which goes on later."""

    wanted_changed = pyqtSignal()  # other neurons, chains or steps
    draw_asked = pyqtSignal()
    cancel_asked = pyqtSignal()
    save_asked = pyqtSignal()
    opened = pyqtSignal(object)  # the Thumbnail of the neuron to open

    def __init__(self, parent: QWidget | None = None) -> None:
        self.cells = Cells()
        super().__init__(self.cells, ORDERS, parent)
        self.setWindowTitle("Contact Sheet")
        self.grid.setAccessibleName("Neurons of the contact sheet")
        self.numbers = QLineEdit()
        self.numbers.setPlaceholderText("all")
        self.numbers.setAccessibleName("Neurons")
        self.numbers.setToolTip("Numbers and ranges, such as 0-63, 70; empty for the whole layer")
        self.numbers.setFixedWidth(120)
        self.chains = CountBox("chain")
        self.chains.setRange(1, MOST_CHAINS_EACH)
        self.chains.setValue(CHAINS)
        self.chains.setAccessibleName("Chains of each neuron")
        self.chains.setToolTip(
            "Chains of each neuron; the picture is that of the one with the highest activation"
        )
        self.steps = CountBox("step")
        self.steps.setRange(1, MOST_STEPS)
        self.steps.setValue(STEPS)
        self.steps.setAccessibleName("Most steps of each neuron")
        self.steps.setToolTip("At most; a picture that has converged needs fewer")
        self.bar.setAccessibleName("Neurons that are drawn")
        self.draw = QPushButton("Draw")
        self.draw.setAutoDefault(False)
        self.save = QPushButton("Save Page…")
        self.save.setToolTip("Save the page with its recipe, which draws every picture again")
        self._settle = QTimer(self)  # many pictures may arrive at once
        self._settle.setSingleShot(True)
        self._settle.setInterval(SORT_MS)
        self._settle.timeout.connect(self.cells.sort_again)
        self._drawing = False
        self._began: tuple[int, float] | None = None
        self.lay_out(self._asked(), (self.save,))
        self._connect()
        self.show_drawing(False)

    def _asked(self) -> QHBoxLayout:
        asked = QHBoxLayout()
        for text, field in (
            ("&Neurons", self.numbers),
            ("C&hains", self.chains),
            ("At &most", self.steps),
        ):
            label = QLabel(text)
            label.setBuddy(field)
            asked.addWidget(label)
            asked.addWidget(field)
            asked.addSpacing(10)
        asked.addStretch(1)
        asked.addWidget(self.draw)
        return asked

    def _connect(self) -> None:
        self.numbers.editingFinished.connect(self._on_numbers)
        self.numbers.textEdited.connect(lambda _text: self.say("", "muted"))
        self.chains.valueChanged.connect(lambda _value: self.wanted_changed.emit())
        self.steps.valueChanged.connect(lambda _value: self.wanted_changed.emit())
        self.draw.clicked.connect(self._on_draw)
        self.save.clicked.connect(lambda _on: self.save_asked.emit())
        self.grid.chosen.connect(self._on_chosen)
        self._numbers_before = ""

    # What is shown

    def begin(self, title: str, names: list[str]) -> None:
        """Show the neurons of a sheet, none of which is drawn."""
        self.title.setText(title)
        self.setWindowTitle(f"Contact Sheet: {title}")
        self.cells.begin(names)
        self.bar.setRange(0, max(1, len(names)))
        self._began = None
        self.say("", "muted")
        self._show_count()

    def add(self, thumbnail: Thumbnail) -> None:
        """Show a neuron that was drawn."""
        self.cells.add(thumbnail)
        if not self._settle.isActive():
            self._settle.start()
        self._show_count()

    def show_drawing(self, on: bool) -> None:
        """Show whether neurons are being drawn."""
        self._drawing = on
        self._began = (len(self.cells.thumbnails), time.monotonic()) if on else None
        for field in (self.numbers, self.chains, self.steps):
            field.setEnabled(not on)
        self._show_count()

    @property
    def is_drawing(self) -> bool:
        """Whether neurons are being drawn."""
        return self._drawing

    def begin_clock(self) -> None:
        """Count the time that is left from now on: what was there before is read."""
        self._began = (len(self.cells.thumbnails), time.monotonic())

    def _show_count(self) -> None:
        done, total = len(self.cells.thumbnails), self.cells.rowCount()
        self.bar.setValue(done)
        self.bar.setVisible(self._drawing or 0 < done < total)
        words = f"{done:,} of {total:,}" + ("" if self._drawing else " drawn")
        if self._drawing:
            left = self._left(done, total)
            words = f"{words}{left}. {PAUSED}"
        elif total and done == total:
            still = sum(each.made.row.converged for each in self.cells.thumbnails.values())
            words = f"All {total:,} drawn, {still:,} converged. Click a neuron to open it."
        self.words.setText(words)
        self.draw.setText("Cancel" if self._drawing else "Go On" if 0 < done < total else "Draw")
        self.draw.setEnabled(self._drawing or done < total)
        self.save.setEnabled(bool(done) and not self._drawing)

    def _left(self, done: int, total: int) -> str:
        """Return how long the rest will take, once that can be said."""
        if self._began is None or done <= self._began[0]:
            return ""
        each = (time.monotonic() - self._began[1]) / (done - self._began[0])
        return f", about {duration(each * (total - done))} left"

    # What the user does

    def _on_numbers(self) -> None:
        if self.numbers.text() != self._numbers_before:
            self._numbers_before = self.numbers.text()
            self.wanted_changed.emit()

    def _on_draw(self) -> None:
        (self.cancel_asked if self._drawing else self.draw_asked).emit()

    def _on_chosen(self, index: QModelIndex) -> None:
        found = self.cells.thumbnail_at(index)
        if found is not None:
            self.opened.emit(found)
