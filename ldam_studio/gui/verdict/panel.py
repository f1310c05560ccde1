"""The tab with a judge's verdict, and the line that a presentation shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QRect, Qt, pyqtSignal
from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ldam_studio.explore.classes import confidence_words
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme.paint import Pencil
from ldam_studio.gui.tips import as_tip

if TYPE_CHECKING:
    from ldam_studio.explore.verdict.verdict import Verdict

HINT = "A judge, another network of the same classes, tells whether an image only fools this one."
ABOUT = (
    "A judge is a second network of the same classes, with another architecture. It sees whether a "
    "drawn image shows its class, or only fools the network that is explained."
)


class VerdictPanel(QWidget):
    """Shows what the judge names the front chain's average, and how many chains it names right."""

    asked = pyqtSignal()  # for another judge
    closed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Verdict")
        self._line = Paragraph()
        self._line.setProperty("role", "title")
        self._over = Paragraph()
        self._hint = Paragraph(HINT)
        self._hint.setProperty("role", "muted")
        self._bars = Bars()
        ask = QPushButton("Open Judge…")
        ask.setToolTip(ABOUT)
        ask.clicked.connect(lambda _on: self.asked.emit())
        self._close = QPushButton("Close Judge")
        self._close.setToolTip("Show what the explained network itself says")
        self._close.clicked.connect(lambda _on: self.closed.emit())
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(ask)
        buttons.addWidget(self._close)
        buttons.addStretch(1)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self._line)
        words.addWidget(self._over)
        words.addWidget(self._hint)
        words.addStretch(1)
        words.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 8, 10, 8)
        row.setSpacing(16)
        row.addLayout(words, 3)
        row.addWidget(self._bars, 2)
        self.show_judge(False)

    def show_judge(self, on: bool) -> None:
        """Show whether there is a judge."""
        self._close.setVisible(on)

    def show_text(self, text: str) -> None:
        """Show a sentence in place of a verdict."""
        self._line.setText(text)
        self._over.setText("")
        self._bars.show_classes(())

    def show_verdict(self, verdict: Verdict) -> None:
        """Show a verdict."""
        self._line.setText(verdict.line)
        self._over.setText(verdict.over_chains.replace(" %", "\u00a0%"))  # stays on one line
        self._over.setVisible(bool(verdict.over_chains))
        self._hint.setVisible(verdict.is_same)
        self._bars.show_classes(verdict.top)


class Bars(QWidget):
    """The likeliest classes with their probabilities, one bar below the other."""

    def __init__(self) -> None:
        super().__init__()
        self._classes: tuple[tuple[str, float], ...] = ()
        self.setMinimumSize(150, 60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Likeliest classes")

    def show_classes(self, classes: tuple[tuple[str, float], ...]) -> None:
        """Show classes and their probabilities, the likeliest first."""
        if classes != self._classes:
            self._classes = classes
            said = ", ".join(f"{name} {confidence_words(share)}" for name, share in classes)
            self.setAccessibleDescription(said)
            self.setToolTip(as_tip(said))
            self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Paint the names, the bars and the numbers."""
        pencil = Pencil(self)
        width, height = int(self.width() * pencil.ratio), int(self.height() * pencil.ratio)
        line = min(int(self.fontMetrics().height() * 1.5 * pencil.ratio), height // 5)
        gap = int(6 * pencil.ratio)
        number = int(self.fontMetrics().horizontalAdvance(">99 %") * pencil.ratio) + gap
        name = (width - number) // 2
        for at, (label, share) in enumerate(self._classes):
            top = at * line
            left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            pencil.text(QRect(0, top, name - gap, line), label, "text", flags=left)
            room = QRect(name, top + line // 3, width - number - name, max(2, line // 3))
            pencil.fill(room, "outline")
            pencil.fill(
                QRect(room.left(), room.top(), round(room.width() * share), room.height()), "accent"
            )
            where = QRect(width - number, top, number, line)
            pencil.text(where, confidence_words(share), "muted", flags=right)
        pencil.painter.end()

    def changeEvent(self, event: QEvent | None) -> None:
        """Paint again when the theme changes."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange:
            self.update()


def presented_line() -> QLabel:
    """Return the label that a presentation shows."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setAccessibleName("Verdict")
    label.hide()
    return label
