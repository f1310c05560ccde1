"""The window of a contact sheet: what it shows, how far it is, and its order."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import QModelIndex, QPoint, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PyQt6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.explore.sheets.ordering import ORDERS
from ldam_studio.explore.sheets.spec import CHAINS, MOST_CHAINS_EACH, STEPS
from ldam_studio.gui.count_box import CountBox
from ldam_studio.gui.fitting_dialog import MARGIN
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present, restyle
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.sheets.cells import Cells
from ldam_studio.gui.sheets.grid import SIZES, USUAL, Grid

if TYPE_CHECKING:
    from ldam_studio.gui.sheets.work import Thumbnail

SIZE = QSize(900, 640)
MOST_STEPS = 100_000
SORT_MS = 250  # from a picture that arrives to the order that has it
PAUSED = "The session is paused meanwhile."


class SheetDialog(QDialog):
    """A window of its own beside the studio; closing it stops the drawing, which goes on later."""

    wanted_changed = pyqtSignal()  # other neurons, chains or steps
    draw_asked = pyqtSignal()
    cancel_asked = pyqtSignal()
    save_asked = pyqtSignal()
    order_chosen = pyqtSignal(str)
    opened = pyqtSignal(object)  # the Thumbnail of the neuron to open

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Contact Sheet")
        self.setSizeGripEnabled(True)
        self.cells = Cells()
        self.grid = Grid(self.cells)
        self.title = Paragraph()
        self.title.setProperty("role", "title")
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
        self.order = QuietCombo()
        self.order.setAccessibleName("Order")
        for name, label in ORDERS.items():
            self.order.addItem(label, name)
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.size_slider.setRange(*SIZES)
        self.size_slider.setValue(USUAL)
        self.size_slider.setFixedWidth(100)
        self.size_slider.setAccessibleName("Size of the thumbnails")
        self.size_slider.setToolTip("Size of the thumbnails")
        self.note = Paragraph()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Neurons that are drawn")
        self.words = Paragraph()
        self.draw = QPushButton("Draw")
        self.save = QPushButton("Save Page…")
        self.save.setToolTip("Save the page with its recipe, which draws every picture again")
        self.away = QPushButton("Close")
        self._settle = QTimer(self)  # many pictures may arrive at once
        self._settle.setSingleShot(True)
        self._settle.setInterval(SORT_MS)
        self._settle.timeout.connect(self.cells.sort_again)
        self._drawing = False
        self._place: QPoint | None = None  # of the frame, when the window was last closed
        self._began: tuple[int, float] | None = None
        self._lay_out()
        self._connect()
        self.show_drawing(False)

    def _lay_out(self) -> None:
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
        shown = QHBoxLayout()
        label = QLabel("&Order")
        label.setBuddy(self.order)
        shown.addWidget(self.title, 1)
        shown.addWidget(label)
        shown.addWidget(self.order)
        shown.addSpacing(10)
        shown.addWidget(QLabel("Size"))
        shown.addWidget(self.size_slider)
        below = QHBoxLayout()
        below.addWidget(self.words, 1)
        below.addWidget(self.save)
        below.addWidget(self.away)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(9)
        column.addLayout(asked)
        column.addWidget(self.note)
        column.addLayout(shown)
        column.addWidget(self.grid, 1)
        column.addWidget(self.bar)
        column.addLayout(below)
        for button in (self.draw, self.save, self.away):
            button.setAutoDefault(False)  # Enter in the list opens a neuron

    def _connect(self) -> None:
        self.numbers.editingFinished.connect(self._on_numbers)
        self.numbers.textEdited.connect(lambda _text: self.say("", "muted"))
        self.chains.valueChanged.connect(lambda _value: self.wanted_changed.emit())
        self.steps.valueChanged.connect(lambda _value: self.wanted_changed.emit())
        self.order.activated.connect(lambda _at: self.order_chosen.emit(self.order.currentData()))
        self.size_slider.valueChanged.connect(self.grid.set_side)
        self.draw.clicked.connect(self._on_draw)
        self.save.clicked.connect(lambda _on: self.save_asked.emit())
        self.away.clicked.connect(lambda _on: self.close())
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

    def say(self, text: str, role: str) -> None:
        """Show a sentence below what is asked for; none takes no room."""
        self.note.setText(text)
        self.note.setProperty("role", role)
        restyle(self.note)
        self.note.setVisible(bool(text))

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

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Close on Esc; Enter in a field does not."""
        if present(event).key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return
        super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take a comfortable size, as far as the screen allows."""
        if not present(event).spontaneous() and not self.testAttribute(
            Qt.WidgetAttribute.WA_Resized
        ):
            room = present(self.screen()).availableGeometry().size() - MARGIN
            self.resize(SIZE.boundedTo(room))
        if not present(event).spontaneous() and self._place is not None:
            self.move(self._place)  # otherwise it comes back lower by the height of its title
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Remember where the window was."""
        if not present(event).spontaneous():
            self._place = self.pos()
        super().hideEvent(event)


def duration(seconds: float) -> str:
    """Return a duration in words, such as "40 seconds" or "2 minutes"."""
    if seconds < 50:
        count, unit = (
            max(1, 10 * math.ceil(seconds / 10) if seconds > 10 else math.ceil(seconds)),
            "second",
        )
    elif seconds < 50 * 60:
        count, unit = max(1, round(seconds / 60)), "minute"
    else:
        count, unit = max(1, round(seconds / 3600)), "hour"
    return f"{count} {unit}{'' if count == 1 else 's'}"
