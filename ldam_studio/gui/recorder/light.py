"""The red dot with the length of the recording, and the button that stops it."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from ldam_studio.gui.named_label import NamedLabel
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import icons
from ldam_studio.gui.theme.theme import current

NARROW = 1000  # logical pixels; in a narrower window only the time is shown
BORDER = 2  # logical pixels around the icon of the button


class RecordingLight(QWidget):
    """Shown while a recording runs."""

    stopped = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.words = NamedLabel("Recording")
        self.button = QToolButton()
        self.button.setIcon(icons.icon("stop"))
        self.button.setAutoRaise(True)
        self.button.setProperty("slim", True)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.setAccessibleName("Stop recording")
        self.button.setToolTip("Stop recording (Ctrl+Shift+R)")
        self.button.clicked.connect(lambda _on: self.stopped.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(6)
        row.addWidget(_Dot())
        row.addWidget(self.words)
        row.addWidget(self.button)
        self._keep_height()
        self.hide()

    def show_words(self, words: tuple[str, ...], tip: str) -> None:
        """Show length, frames and size, and the file as tool tip; only the length if narrow."""
        parts = 1 if present(self.window()).width() < NARROW else len(words)
        text = "  ".join(words[:parts])
        self.words.setText(text)
        # Nothing beside it moves while digits change.
        widest = "".join("0" if letter.isdigit() else letter for letter in text)
        self.words.setMinimumWidth(self.fontMetrics().horizontalAdvance(widest))
        self.setToolTip(tip)
        self._keep_height()

    def _keep_height(self) -> None:
        """Make the button as high as the text, so that no bar grows and the images stay."""
        high = self.fontMetrics().height()
        self.button.setFixedHeight(high)
        self.button.setIconSize(QSize(high, high) - 2 * QSize(BORDER, BORDER))


class _Dot(QWidget):
    """A red dot."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a size that fits the text beside it."""
        side = self.fontMetrics().ascent()
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the dot."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(current().colour("recording"))
        painter.drawEllipse(self.rect().adjusted(1, 1, -1, -1))
        painter.end()
