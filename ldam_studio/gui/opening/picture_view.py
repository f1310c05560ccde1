"""A picture over the images, which offers to go on with its session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout

from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.preview import Preview
from ldam_studio.gui.qt import present

if TYPE_CHECKING:
    from ldam_studio.gui.opening.pictures import Picture, Replaying

LOOK_MS = 100


class PictureView(QFrame):
    """Shows a picture at once; its session opens only if the user asks for it."""

    going_on = pyqtSignal()  # continue the session from the moment of the picture
    from_start = pyqtSignal()  # open the session from its start
    closed = pyqtSignal()  # nothing of that
    stopped = pyqtSignal()  # do not replay any further

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setAccessibleName(picture.title)
        image = Preview(fixed=False)
        image.show_image(picture.pixels)
        title = Paragraph(picture.title)
        title.setProperty("role", "title")
        words = Paragraph(picture.words)
        words.setProperty("role", "muted")
        for label in (title, words):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Replayed steps")
        self._buttons = [
            _button("Continue from here", self.going_on.emit),
            _button("From its start", self.from_start.emit),
            _button("Close", self.closed.emit),
        ]
        self._stop = _button("Stop", self.stopped.emit)
        row = QHBoxLayout()
        row.addStretch(1)
        for widget in (*self._buttons, self._bar, self._stop):
            row.addWidget(widget)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        if picture.pixels is None:
            layout.addStretch(1)
        layout.addWidget(title)
        layout.addWidget(image, 1)
        layout.addWidget(words)
        layout.addLayout(row)
        if picture.pixels is None:
            layout.addStretch(1)
        self._replaying: Replaying | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self.follow(None)
        self._buttons[0].setFocus()
        self.setFocusProxy(self._buttons[0])

    def follow(self, replaying: Replaying | None) -> None:
        """Show how far a replay is; None offers the choice again."""
        self._replaying = replaying
        for button in self._buttons:
            button.setVisible(replaying is None)
        self._bar.setVisible(replaying is not None)
        self._stop.setVisible(replaying is not None)
        if replaying is None:
            self._timer.stop()
        else:
            self._look()
            self._timer.start()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Close on Esc, or stop the replay."""
        if present(event).key() == Qt.Key.Key_Escape:
            (self.closed if self._replaying is None else self.stopped).emit()
        else:
            super().keyPressEvent(event)

    def _look(self) -> None:
        if self._replaying is not None:
            self._bar.setRange(0, self._replaying.total)  # 0 to 0 shows a bar without an end
            self._bar.setValue(self._replaying.done)
            self._bar.setFormat("step %v of %m")


def _button(text: str, act: object) -> QPushButton:
    made = QPushButton(text)
    made.setAutoDefault(True)
    made.clicked.connect(lambda _on: act())  # type: ignore[operator]
    return made
