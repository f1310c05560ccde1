"""The panel with real images: words, the best patches, the strip over the whole range."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent, QShowEvent
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.explore.real_images.evidence import Evidence
from ldam_studio.gui.one_line import OneLine
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import restyle
from ldam_studio.gui.real_images.patches import Patches
from ldam_studio.gui.real_images.range_strip import RangeStrip
from ldam_studio.gui.tips import as_tip
from ldam_studio.progress import Stage, StageWords

INDEX = "Index Images…"
EMPTY = (
    "Real images beside the drawn one: which excite this neuron most, and whether the drawn image "
    "lies beyond all of them. Choose pictures to show to the network."
)


class RealImagesPanel(QWidget):
    """Shows one of three pages: an offer or a sentence, progress, or what was found."""

    index_asked = pyqtSignal()  # show the dialog
    offer_taken = pyqtSignal()  # the button of the page with a sentence
    cancel_asked = pyqtSignal()
    example_chosen = pyqtSignal(object)  # Example
    shown = pyqtSignal()
    hidden = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Real images")
        self._stages = StageWords()
        self._what = ""
        self._pages = QStackedWidget()
        self._offer, self._progress, self._found = self._offered(), self._going(), self._results()
        for page in (self._offer, self._progress, self._found):
            self._pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.addWidget(self._pages)
        self.show_sentence(EMPTY)

    def _offered(self) -> QWidget:
        page = QWidget()
        self.sentence = Paragraph()
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.offer = QPushButton()
        self.offer.clicked.connect(lambda _on: self.offer_taken.emit())
        self.other = QPushButton(INDEX)
        self.other.clicked.connect(lambda _on: self.index_asked.emit())
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.offer)
        row.addWidget(self.other)
        row.addStretch(1)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addStretch(1)
        column.addWidget(self.sentence)
        column.addLayout(row)
        column.addStretch(1)
        return page

    def _going(self) -> QWidget:
        page = QWidget()
        self.stage = Paragraph()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("Progress of indexing")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop; what was measured is kept, and indexing again goes on")
        self.cancel.clicked.connect(lambda _on: self.cancel_asked.emit())
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addStretch(1)
        column.addWidget(self.stage)
        column.addLayout(row)
        column.addStretch(1)
        return page

    def _results(self) -> QWidget:
        page = QWidget()
        self.words = OneLine()
        self.source = QToolButton()
        self.source.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.source.setAccessibleName("Choose real images")
        self.source.clicked.connect(lambda _on: self.index_asked.emit())
        self.patches, self.range = Patches(), RangeStrip()
        for view in (self.patches, self.range):
            view.chosen.connect(self.example_chosen)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.words, 1)
        top.addWidget(self.source)
        views = QHBoxLayout()
        views.setSpacing(14)
        views.addWidget(self.patches, 5)
        views.addWidget(self.range, 6)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(top)
        column.addLayout(views, 1)
        return page

    # What is shown

    def show_sentence(self, text: str, offer: str = "", *, role: str = "muted") -> None:
        """Show a sentence, with a button for the next step and one that chooses images."""
        self.sentence.setText(text)
        self.sentence.setProperty("role", role)
        restyle(self.sentence)
        self.offer.setText(offer)
        self.offer.setVisible(bool(offer))
        self._pages.setCurrentWidget(self._offer)

    def show_waiting(self, what: str) -> None:
        """Show that images are being shown to a network."""
        self._what, self._stages = what, StageWords()
        self.stage.setText(what)
        self.bar.setRange(0, 0)
        self._pages.setCurrentWidget(self._progress)

    def show_stage(self, stage: Stage) -> None:
        """Show how far this is."""
        self.stage.setText(f"{self._what}: {self._stages.of(stage)}")
        self.bar.setRange(0, stage.total)
        self.bar.setValue(stage.done)

    def show_evidence(self, evidence: Evidence, source: str, tip: str) -> None:
        """Show the images of a neuron, and where they come from."""
        self.patches.show_evidence(evidence)
        self.range.show_evidence(evidence)
        self.source.setText(source)
        self.source.setToolTip(as_tip(tip))
        self._pages.setCurrentWidget(self._found)

    def show_words(self, text: str, more: str = "") -> None:
        """Show the line of words; `more` belongs to it where the pointer rests on it."""
        if text != self.words.text():
            self.words.setText(text)
            self.words.setToolTip(as_tip(f"{text}\n{more}".strip()))

    @property
    def shows_evidence(self) -> bool:
        """Whether images are shown, and not a sentence or progress."""
        return self._pages.currentWidget() is self._found

    @property
    def is_waiting(self) -> bool:
        """Whether progress is shown."""
        return self._pages.currentWidget() is self._progress

    def showEvent(self, event: QShowEvent | None) -> None:
        """Tell that the panel is visible."""
        super().showEvent(event)
        self.shown.emit()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Tell that the panel is not visible any more."""
        super().hideEvent(event)
        self.hidden.emit()
