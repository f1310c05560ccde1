"""How far the atlas is that is being drawn, in the status bar, with buttons to see and to stop."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from ldam_studio.gui.named_label import NamedLabel
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import icons

NARROW = 1000  # logical pixels; in a narrower window only the count is shown
BORDER = 2  # logical pixels around the icons


class DrawingLight(QWidget):
    """Shown while an atlas is drawn."""

    looked = pyqtSignal()
    stopped = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.words = NamedLabel("Atlas that is drawn")
        self.look = self._button("search", "Look at what is drawn", self.looked)
        self.button = self._button("stop", "Stop drawing; it can go on later", self.stopped)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(6)
        for widget in (self.words, self.look, self.button):
            row.addWidget(widget)
        self.hide()

    def _button(self, icon: str, tip: str, signal: object) -> QToolButton:
        button = QToolButton()
        button.setIcon(icons.icon(icon))
        button.setAutoRaise(True)
        button.setProperty("slim", True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(tip)
        button.setToolTip(tip)
        button.clicked.connect(lambda _on: signal.emit())  # type: ignore[attr-defined]
        return button

    def show_words(self, words: tuple[str, ...], tip: str) -> None:
        """Show count, rate and time left, and the folder as tool tip; only the count if narrow."""
        parts = 1 if present(self.window()).width() < NARROW else len(words)
        text = "  ".join(words[:parts])
        self.words.setText(text)
        # Nothing beside it moves while digits change.
        widest = "".join("0" if letter.isdigit() else letter for letter in text)
        self.words.setMinimumWidth(self.fontMetrics().horizontalAdvance(widest))
        self.words.setToolTip(tip)
        high = self.fontMetrics().height()  # so that no bar grows and the images stay
        for button in (self.look, self.button):
            button.setFixedHeight(high)
            button.setIconSize(QSize(high, high) - 2 * QSize(BORDER, BORDER))
