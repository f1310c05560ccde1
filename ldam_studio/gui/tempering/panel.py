"""The panel of parallel tempering: the front chain's ladder, or what it would do."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.count_box import CountBox
from ldam_studio.gui.one_line import OneLine
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.tempering.ladder_view import LadderView
from ldam_studio.gui.tempering.words import Ladder, ladder_words
from ldam_studio.sampler.tempering_settings import MOST_RUNGS

EXPLANATION = (
    "Single chains often stay with one kind of image. On a ladder, chains of one neuron have "
    "rising temperatures and exchange their images: hot ones find other kinds, and the coldest, "
    "which is averaged, shows each kind as often as its density says."
)
TRIPS = "A round trip is an image that came from the hottest rung down to the coldest."
NO_SESSION = "Open a network first."


class TemperingPanel(QWidget):
    """A ladder with its number of rungs; without one, an explanation and a button."""

    asked = pyqtSignal()  # temper the front chain's neuron
    rungs_chosen = pyqtSignal(int)
    stopped = pyqtSignal()
    seen = pyqtSignal()  # the panel has just become visible

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.explanation = Paragraph(EXPLANATION)
        self.explanation.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.start = QPushButton("Temper This Neuron")
        self.start.setAutoDefault(False)
        self.start.clicked.connect(self.asked)
        empty = QWidget()
        column = QVBoxLayout(empty)
        column.setContentsMargins(40, 4, 40, 4)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(self.explanation)
        column.addWidget(self.start, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)

        self.words = OneLine()
        self.words.setProperty("role", "muted")
        self.rungs = CountBox("rung")
        self.rungs.setRange(2, MOST_RUNGS)
        self.rungs.setAccessibleName("Rungs of the ladder")
        self.rungs.setToolTip(
            "Number of temperatures. Chains are added where there are too few. More rungs reach "
            "higher temperatures."
        )
        self.rungs.valueChanged.connect(self.rungs_chosen)
        self.stop = QPushButton("Stop")
        self.stop.setAutoDefault(False)
        self.stop.setToolTip("All chains get the same temperature again")
        self.stop.clicked.connect(self.stopped)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.rungs)
        top.addWidget(self.words, 1)
        top.addWidget(self.stop)
        self.view = LadderView()
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.view, 1)

        self._pages = QStackedLayout(self)
        self._pages.addWidget(empty)
        self._pages.addWidget(whole)
        self.setAccessibleName("Parallel tempering")

    def sizeHint(self) -> QSize:
        """Return a size at which bars and temperatures can be read."""
        return QSize(640, 150)

    def show_nothing(self, obstacle: str = "", *, possible: bool = True) -> None:
        """Show that there is no ladder; an `obstacle` says why although one was asked for."""
        self.explanation.setText(obstacle or EXPLANATION)
        self.start.setEnabled(possible)
        self._pages.setCurrentIndex(0)

    def show_ladder(self, ladder: Ladder, front: int, rungs: int) -> None:
        """Show a ladder, the chain in front, and the number of rungs that was asked for."""
        text = ladder_words(ladder)
        if text != self.words.text():
            self.words.setText(text)
            self.words.setToolTip(f"{text}\n{TRIPS}")
            self.view.setAccessibleDescription(text)
        if not self.rungs.hasFocus():
            self.rungs.show_value(rungs)
        self.view.show_ladder(ladder, front)
        self._pages.setCurrentIndex(1)

    @property
    def shows_ladder(self) -> bool:
        """Whether there is a ladder."""
        return self._pages.currentIndex() == 1

    def showEvent(self, event: QShowEvent | None) -> None:
        """Tell that the panel is visible now; until then it was not kept up to date."""
        super().showEvent(event)
        self.seen.emit()

    def changeEvent(self, event: QEvent | None) -> None:
        """Paint again when the theme changes."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self.view.update()
