"""The panel that says whether the chains agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent, QShowEvent
from PyQt6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.explore.agreement.verdict import Kind
from ldam_studio.gui.agreement.marks import Chips, Mark
from ldam_studio.gui.agreement.words import chip_labels, detail_words
from ldam_studio.gui.paragraph import Paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldam_studio.explore.agreement.neurons import NeuronVerdict

WAITING = "Too early to tell: the chains are watched from now on."
MOST_DETAILS = 6
COLUMNS = 2  # pairs of name and value in a line of the details


class AgreementPanel(QWidget):
    """Shows the verdict on the neuron in front, then those on all neurons, then numbers."""

    seen = pyqtSignal(bool)  # whether the panel is visible
    front_wanted = pyqtSignal(int)  # the chain to bring to the front
    more_wanted = pyqtSignal()  # more chains of the neuron in front
    help_wanted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._verdicts: tuple[NeuronVerdict, ...] = ()
        self._front = 0
        self._mark = Mark()
        self._sentence = Paragraph()
        self._sentence.setProperty("role", "title")
        self.more = QPushButton("4 Chains of It")
        self.more.setToolTip("Give all chains the neuron in front, at least 4 of them")
        self.more.clicked.connect(self.more_wanted)
        self.details = QToolButton()
        self.details.setText("Details")
        self.details.setCheckable(True)
        self.details.setToolTip("Show the numbers behind the sentence")
        self.details.toggled.connect(self._show)
        about = QToolButton()
        about.setText("?")
        about.setAccessibleName("What the words mean")
        about.setToolTip("Read in the guide what the words mean")
        about.clicked.connect(self.help_wanted)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignVCenter)
        top.addWidget(self._sentence, 1)
        top.addWidget(self.more)
        top.addWidget(self.details)
        top.addWidget(about)
        self.chips = Chips()
        self.chips.chosen.connect(self._choose)
        self._numbers = QWidget()
        grid = QGridLayout(self._numbers)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(2 * COLUMNS - 1, 1)
        self._cells = [(QLabel(), QLabel()) for _ in range(MOST_DETAILS)]
        for number, cells in enumerate(self._cells):
            line, column = divmod(number, COLUMNS)
            cells[0].setProperty("role", "muted")
            for offset, cell in enumerate(cells):
                cell.setTextFormat(Qt.TextFormat.PlainText)
                grid.addWidget(cell, line, 2 * column + offset)
        inner = QWidget()
        content = QVBoxLayout(inner)
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(6)
        content.addWidget(self._numbers)
        content.addWidget(self.chips)
        content.addStretch(1)
        area = QScrollArea()
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 4)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(area, 1)
        self.setAccessibleName("Do the chains agree?")
        self.clear()

    def sizeHint(self) -> QSize:
        """Return a size with room for the sentence and two lines of neurons."""
        return QSize(640, 150)

    def clear(self, sentence: str = WAITING) -> None:
        """Show that nothing is known."""
        self._verdicts = ()
        self._empty = sentence
        self._show()

    def show_verdicts(self, verdicts: Sequence[NeuronVerdict]) -> None:
        """Show new verdicts."""
        self._verdicts = tuple(verdicts)
        self._show()

    def set_front(self, chain: int) -> None:
        """Show the verdict on another chain's neuron."""
        self._front = chain
        self._show()

    @property
    def sentence(self) -> str:
        """The sentence on the neuron in front."""
        return self._sentence.text()

    def verdict_in_front(self) -> NeuronVerdict | None:
        """Return the verdict on the front chain's neuron; None if it is not known."""
        return next((each for each in self._verdicts if self._front in each.chains), None)

    def _choose(self, number: int) -> None:
        if number < len(self._verdicts):
            self.front_wanted.emit(self._verdicts[number].chains[0])

    def _show(self) -> None:
        found = self.verdict_in_front()
        kind = Kind.TOO_EARLY if found is None else found.verdict.kind
        self._mark.show_kind(kind)
        self._sentence.setText(self._empty if found is None else found.verdict.sentence)
        self.more.setVisible(kind is Kind.ONE_CHAIN)
        many = len(self._verdicts) > 1
        self.chips.setVisible(many)
        if many:
            chips = [
                (label, each.verdict.kind, each.verdict.sentence)
                for label, each in zip(chip_labels(self._verdicts), self._verdicts, strict=True)
            ]
            front = -1 if found is None else self._verdicts.index(found)
            self.chips.show_chips(chips, front)
        rows = detail_words(found) if self.details.isChecked() and found is not None else []
        for number, cells in enumerate(self._cells):
            name, value, tip = rows[number] if number < len(rows) else ("", "", "")
            for cell, text in zip(cells, (name, value), strict=True):
                cell.setText(text)
                cell.setToolTip(tip)
        self._numbers.setVisible(bool(rows))

    def showEvent(self, event: QShowEvent | None) -> None:
        """Begin to watch the chains."""
        super().showEvent(event)
        self.seen.emit(True)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Stop watching them."""
        super().hideEvent(event)
        self.seen.emit(False)
