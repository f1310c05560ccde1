"""The window of an atlas: its layers, a search, and the neurons that are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QModelIndex, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QHideEvent, QShowEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from ldam_studio.atlas.browsing import ORDERS
from ldam_studio.explore.sheets.making import MOVING, SILENT
from ldam_studio.gui.atlas.cells import AtlasCells
from ldam_studio.gui.atlas.loading import Loader
from ldam_studio.gui.neuron_grid.window import GridWindow
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.tips import as_tip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PyQt6.QtGui import QImage

    from ldam_studio.atlas.browsing import Found
    from ldam_studio.progress import Stage

ALL = "All layers"
ARRANGE_MS = 250  # from neurons that arrive to the list that has them
TYPING_MS = 120  # from a letter that is typed to the neurons that match
LOAD_MS = 20  # from a cell that comes into view to the thread that loads it
EMPTY = "No neuron is drawn yet. Neurons appear here as they are drawn."
LETTERS = 24


class AtlasDialog(GridWindow):
    """Shows an atlas; it stays as it is while it is hidden."""

    stop_asked = pyqtSignal()
    read_asked = pyqtSignal()
    shown = pyqtSignal(bool)
    opened = pyqtSignal(object)  # the Found to open

    def __init__(self, parent: QWidget | None = None) -> None:
        self.cells = AtlasCells()
        super().__init__(self.cells, ORDERS, parent)
        self.setWindowTitle("Atlas")
        self.grid.setAccessibleName("Neurons of the atlas")
        self.bar.setAccessibleName("Files that are read")
        self.loader = Loader(self)
        self.layers = QuietCombo()
        self.layers.setAccessibleName("Layer")
        self.layers.setSizeAdjustPolicy(
            QuietCombo.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.layers.setMinimumContentsLength(LETTERS)
        present(self.layers.view()).setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.search = QLineEdit()
        self.search.setAccessibleName("Search neurons")
        self.search.setPlaceholderText("Address or class")
        self.search.setToolTip("Part of an address, such as conv2:5, or of a class's name")
        self.search.setClearButtonEnabled(True)
        self.stop = QPushButton("Stop Reading")
        self._reading = False
        self._progress = (0, 0)
        self._arrange_later = self._timer(ARRANGE_MS, self.arrange)
        self._search_later = self._timer(TYPING_MS, self._from_top)
        self._load_later = self._timer(LOAD_MS, self._load)
        self.lay_out(self._asked(), (self.stop,))
        self._connect()
        self.show_reading(False)

    def _timer(self, ms: int, act: Callable[[], object]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(ms)
        timer.timeout.connect(act)
        return timer

    def _asked(self) -> QHBoxLayout:
        asked = QHBoxLayout()
        label = QLabel("&Layer")
        label.setBuddy(self.layers)
        asked.addWidget(label)
        asked.addWidget(self.layers)
        asked.addSpacing(10)
        label = QLabel("&Search")
        label.setBuddy(self.search)
        asked.addWidget(label)
        asked.addWidget(self.search, 1)
        return asked

    def _connect(self) -> None:
        self.layers.activated.connect(lambda _at: self._from_top())
        self.search.textChanged.connect(lambda _text: self._search_later.start())
        self.order_chosen.connect(lambda _name: self._from_top())
        self.cells.missed.connect(self._want)
        self.loader.loaded.connect(self._keep)
        self.grid.chosen.connect(self._on_chosen)
        self.stop.clicked.connect(
            lambda _on: (self.stop_asked if self._reading else self.read_asked).emit()
        )

    # What is shown

    def begin(self, title: str, folder: Path, layers: Sequence[str]) -> None:
        """Show an atlas, none of whose neurons is known."""
        self.loader.leave()
        self.title.setText(title)
        self.title.setToolTip(as_tip(str(folder)))
        self.setWindowTitle(f"Atlas: {title}")
        self.search.clear()
        self.layers.clear()
        self.layers.addItem(ALL, None)
        self.cells.begin(layers)
        self.grid.set_lines(self.cells.lines)
        self.say("", "muted")
        self._name_layers()
        self._show_count()

    def add(self, found: Sequence[Found]) -> None:
        """Show further neurons."""
        self.cells.table.add(found)
        if not self._arrange_later.isActive():
            self._arrange_later.start()

    def show_reading(self, on: bool) -> None:
        """Show whether files are being read."""
        self._reading, self._progress = on, (0, 0)
        self.bar.setVisible(on)
        self.stop.setVisible(on)
        self.stop.setText("Stop Reading")
        self.arrange()

    @property
    def is_reading(self) -> bool:
        """Whether it is shown that files are being read."""
        return self._reading

    def show_stopped(self) -> None:
        """Show that reading was stopped, and offer to go on."""
        self.show_reading(False)
        self.stop.setText("Go On Reading")
        self.stop.show()

    def show_stage(self, stage: Stage) -> None:
        """Show how far reading is."""
        self._progress = (stage.done, stage.total)
        self.bar.setRange(0, stage.total)
        self.bar.setValue(stage.done)
        self._show_count()

    def arrange(self) -> None:
        """Show the neurons that are looked for; what is at the top stays there."""
        grid, bar = self.grid, present(self.grid.verticalScrollBar())
        current = self.cells.position_at(grid.currentIndex())
        at = bar.value()
        if self.cells.arrange(*self._looked_for()):
            row = None if current is None else self.cells.row_of(current)
            if row is not None:
                grid.setCurrentIndex(self.cells.index(row))
            grid.settle()
            bar.setValue(at)
        self._name_layers()
        self._show_count()
        self._want()

    def _looked_for(self) -> tuple[str, str | None, str]:
        return self.order.currentData(), self.layers.currentData(), self.search.text()

    def _from_top(self) -> None:
        """Show other neurons, or another order, from its beginning."""
        self._search_later.stop()
        self.cells.arrange(*self._looked_for())
        self.grid.set_lines(self.cells.lines)
        self.grid.scrollToTop()
        self._show_count()
        self._want()

    def _name_layers(self) -> None:
        """List the layers with the number of their neurons."""
        for at, (layer, count) in enumerate(self.cells.table.counts().items(), 1):
            text = f"{layer} ({count:,})"
            if at == self.layers.count():
                self.layers.addItem(text, layer)
            elif self.layers.itemText(at) != text:
                self.layers.setItemText(at, text)

    def _show_count(self) -> None:
        known, shown = len(self.cells.table), self.cells.rowCount()
        neurons = "1 neuron" if known == 1 else f"{known:,} neurons"
        if self._reading:
            done, total = self._progress
            self.words.setText(f"Reading: {done:,} of {total:,} files" if total else "Reading …")
        elif not known:
            self.words.setText("No neurons")
        else:
            said = f"{shown:,} of {neurons}" if shown != known else f"{neurons}{self._states()}"
            self.words.setText(f"{said}. Click one to open it with its recipe.")
        self.grid.set_empty(self._why_empty(known))

    def _states(self) -> str:
        """Return how many neurons are marked, which also says what the marks mean."""
        moving, silent = self.cells.table.states()
        said = f", {moving:,} not converged ({MOVING})" if moving else ""
        return said + (f", {silent:,} {SILENT}" if silent else "")

    def _why_empty(self, known: int) -> str:
        if self._reading:
            return "Reading …"
        text, layer = self.search.text().strip(), self.layers.currentData()
        if not known:
            return EMPTY
        if text:
            where = "" if layer is None else f" of {layer}"
            return f"No neuron{where} has “{text}” in its address or class."
        return f"No neuron of {layer} is drawn yet."

    # Thumbnails

    def _want(self) -> None:
        if not self._load_later.isActive():
            self._load_later.start()

    def _load(self) -> None:
        if self.isVisible():
            self.loader.want(self.cells.missing(self.grid.in_view()))

    def _keep(self, loaded: Sequence[tuple[int, QImage | None]]) -> None:
        self.cells.keep(loaded, self.grid.in_view())

    # What the user does

    def _on_chosen(self, index: QModelIndex) -> None:
        found = self.cells.found_at(index)
        if found is not None:
            self.opened.emit(found)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Tell that the atlas can be seen."""
        super().showEvent(event)
        if not present(event).spontaneous():
            self.shown.emit(True)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Tell that the atlas cannot be seen."""
        super().hideEvent(event)
        if not present(event).spontaneous():
            self.loader.leave()
            self.shown.emit(False)
