"""The bar below the images while a training is watched: its timeline and its buttons."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from PyQt6.QtCore import QPoint, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QPaintEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.theme import icons
from ldam_studio.gui.theme.paint import Pencil
from ldam_studio.gui.tips import as_tip
from ldam_studio.gui.watch.plot import TimelinePlot

SPEEDS = (1, 2, 5, 10, 20)  # checkpoints per second
USUAL_SPEED = 2
LONGEST_LISTED = 110  # characters of a sentence in the menu of skipped files
LEAST_LISTED, AROUND_LISTED = 300, 60  # pixels: smallest width of a sentence, and space around it
MOST_LISTED = 30  # files in that menu


class Title(QWidget):
    """A line of text that is shortened if it does not fit."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.kind = "", "muted"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_words(self, words: str, kind: str) -> None:
        """Show a text in the theme's colour of this name."""
        if (words, kind) != (self.words, self.kind):
            self.words, self.kind = words, kind
            self.setAccessibleName(words)
            self.update()

    def minimumSizeHint(self) -> QSize:
        """Return a small width, because the text can be shortened."""
        return QSize(20, self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the text."""
        pencil = Pencil(self)
        room = QRect(0, 0, int(self.width() * pencil.ratio), int(self.height() * pencil.ratio))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        pencil.text(room, self.words, self.kind, flags=left)
        pencil.painter.end()


class WatchBar(QFrame):
    """The bar's widgets; emits what the user asks for, and shows what `Watch` tells it."""

    played = pyqtSignal(bool)  # play the checkpoints, or stop playing
    speed_chosen = pyqtSignal(int)  # checkpoints per second
    followed = pyqtSignal(bool)  # follow the newest checkpoint, or not
    pin_asked = pyqtSignal(bool)  # pin the current checkpoint, or unpin it
    closed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Watched training")
        self.plot = TimelinePlot()
        self.play = self._button("play", "Play the checkpoints one after the other (Space)")
        self.play.clicked.connect(lambda _on: self.played.emit(not self._playing))
        self._playing = False
        self.speed = QuietCombo()
        for speed in SPEEDS:
            self.speed.addItem(f"{speed} per second", speed)
        self.speed.setCurrentIndex(SPEEDS.index(USUAL_SPEED))
        self.speed.setAccessibleName("Checkpoints per second while playing")
        self.speed.setToolTip("How many checkpoints are played per second")
        self.speed.activated.connect(lambda at: self.speed_chosen.emit(self.speed.itemData(at)))
        self.title = Title()
        self.skipped = QToolButton()
        self.skipped.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.skipped.setProperty("choice", True)
        self.skipped.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.skipped.setToolTip("Files that are not shown, and why")
        self.skipped.setAccessibleName("Skipped files")
        menu = QMenu(self.skipped)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self._fit_skipped)
        self.skipped.setMenu(menu)
        self.skipped.hide()
        self.pin = QToolButton()
        self.pin.setText("Pin")
        self.pin.setIcon(icons.icon("pin"))
        self.pin.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.pin.setCheckable(True)
        self.pin.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.pin.setToolTip("Keep this checkpoint, and compare later ones with it")
        self.pin.clicked.connect(self.pin_asked)
        self.follow = QCheckBox("Follow newest")
        self.follow.setToolTip("Show each new checkpoint as soon as it is written (End)")
        self.follow.clicked.connect(self.followed)
        self.close_button = self._button("close", "Stop watching")
        self.close_button.clicked.connect(self.closed)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.play)
        row.addWidget(self.speed)
        row.addWidget(self.title, 1)
        row.addWidget(self.skipped)
        row.addWidget(self.pin)
        row.addWidget(self.follow)
        row.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 6)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.plot)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def show_playing(self, on: bool) -> None:
        """Name the play button after what it does next."""
        self._playing = on
        self.play.setIcon(icons.icon("pause" if on else "play"))
        words = "Stop at this checkpoint" if on else "Play the checkpoints one after the other"
        self.play.setToolTip(f"{words} (Space)")
        self.play.setAccessibleName(words)

    def show_title(self, text: str, kind: str = "muted", tip: str = "") -> None:
        """Show what is watched, or what is wrong with it, in the colour `kind`."""
        self.title.show_words(text, kind)
        self.title.setToolTip(as_tip(tip or text))

    def show_skipped(self, sentences: Iterable[str]) -> None:
        """List the files that are not shown, each with the reason in a sentence."""
        sentences = tuple(sentences)
        menu = self.skipped.menu()
        assert menu is not None
        if tuple(map(as_tip, sentences)) == tuple(action.toolTip() for action in menu.actions()):
            return
        menu.clear()
        listed = sentences[:MOST_LISTED]
        if len(sentences) > len(listed):
            listed += (f"and {len(sentences) - len(listed):,} more",)
        for sentence in listed:
            shown = textwrap.shorten(sentence, LONGEST_LISTED, placeholder=" …")
            action = QAction(shown.replace("&", "&&"), menu)
            action.setToolTip(as_tip(sentence))
            menu.addAction(action)
        self.skipped.setText(f"{len(sentences):,} skipped")
        self.skipped.setVisible(bool(sentences))

    def _fit_skipped(self) -> None:
        """Shorten the sentences so that the menu does not reach beyond the window."""
        menu, window = self.skipped.menu(), self.window()
        assert menu is not None and window is not None
        left = self.skipped.mapTo(window, QPoint(0, 0)).x()
        room = max(LEAST_LISTED, window.width() - left - AROUND_LISTED)
        metrics, right = menu.fontMetrics(), Qt.TextElideMode.ElideRight
        for action in menu.actions():
            shown = metrics.elidedText(action.toolTip(), right, room)
            action.setText(shown.replace("&", "&&"))

    def _button(self, icon: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icons.icon(icon))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button
