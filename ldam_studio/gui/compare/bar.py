"""The bar above the images while two networks are compared: their titles, and "Act on"."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import icons, theme
from ldam_studio.gui.tips import as_tip
from ldam_studio.networks.weights.suffixes import WEIGHTS_SUFFIXES

LANES = ("A", "B")
TOKENS = ("accent", "comparison")
"""The colours of the lanes, here and in the traces."""
ACTING = (
    ("Both", "Change settings and neurons of both networks"),
    ("A", "Change settings and neurons of the first network only"),
    ("B", "Change settings and neurons of the second network only"),
)


class CompareBar(QFrame):
    """Shows both titles, and lets the user choose the network to act on."""

    acting_chosen = pyqtSignal(object)  # number of the lane, None for both
    closed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Comparison")
        self._titles = ("", "")
        self._names = tuple(_Name() for _ in LANES)
        self._buttons: list[QToolButton] = []
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 6, 4)
        row.setSpacing(6)
        # The titles are close together: further apart they would look like titles of columns.
        for name in self._names:
            row.addWidget(name, 1)
            row.addSpacing(10)
        row.addStretch(0)
        caption = QLabel("Act on")
        caption.setProperty("role", "muted")
        row.addWidget(caption)
        for number, (text, tip) in enumerate(ACTING):
            button = QToolButton()
            button.setText(text)
            button.setCheckable(True)
            button.setToolTip(tip)
            button.setAccessibleName(f"Act on {text.lower() if text == 'Both' else text}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            lane = number - 1 if number else None
            button.clicked.connect(lambda _on, lane=lane: self.acting_chosen.emit(lane))
            group.addButton(button)
            self._buttons.append(button)
            row.addWidget(button)
        close = QToolButton()
        close.setIcon(icons.icon("close"))
        close.setToolTip("End the comparison; the first network continues (undo restores both)")
        close.setAccessibleName("End the comparison")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self.closed)
        row.addSpacing(6)
        row.addWidget(close)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.show_acting(None)
        self._write()

    @property
    def titles(self) -> tuple[str, str]:
        """The titles of both networks."""
        return self._titles

    def show_titles(self, here: str, beside: str) -> None:
        """Show the titles of both networks."""
        self._titles = (here, beside)
        self._write()

    def show_acting(self, lane: int | None) -> None:
        """Show the lane that is acted on; None for both."""
        self._buttons[0 if lane is None else lane + 1].setChecked(True)

    def button(self, lane: int | None) -> QToolButton:
        """Return the button for acting on a lane; None for both."""
        return self._buttons[0 if lane is None else lane + 1]

    def changeEvent(self, event: QEvent | None) -> None:
        """Write the names again when the theme changes."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange:
            self._write()

    def _write(self) -> None:
        for label, lane, token, title in zip(self._names, LANES, TOKENS, self._titles, strict=True):
            label.show_name(lane, token, title)


class _Name(QWidget):
    """A lane's letter in its colour, and its network's title, shortened in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self._letter, self._title = QLabel(), QLabel()
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._text = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(7)
        row.addWidget(self._letter)
        row.addWidget(self._title, 1)

    def show_name(self, letter: str, token: str, title: str) -> None:
        """Show a lane's letter and title."""
        colour = theme.current().colour(token).name()
        self._letter.setText(f'<b style="color:{colour}">{letter}</b>')
        self._text = title
        self._title.setToolTip(as_tip(title))
        self._fit()

    def _fit(self) -> None:
        """Take no more room than the whole title needs, and shorten it to the room there is."""
        room = self._title.fontMetrics().horizontalAdvance(self._text) + 4
        self.setMaximumWidth(
            self._letter.sizeHint().width() + present(self.layout()).spacing() + room
        )
        self._elide()

    def changeEvent(self, event: QEvent | None) -> None:
        """Measure the title again in the type of a new look."""
        super().changeEvent(event)
        if present(event).type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Shorten the title to the new width."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        metrics, room = self._title.fontMetrics(), self._title.width()
        middle, text = Qt.TextElideMode.ElideMiddle, self._text
        if metrics.horizontalAdvance(text) > room:
            # Without the suffix, more of the number is visible that distinguishes checkpoints.
            found = (text.removesuffix(end) for end in WEIGHTS_SUFFIXES if text.endswith(end))
            text = next(found, text)
        self._title.setText(metrics.elidedText(text, middle, max(room, 24)))
