"""A pin beside the present, over the images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from ldam_studio.errors import StudioError
from ldam_studio.export.shown import composed
from ldam_studio.gui.filmstrip import words
from ldam_studio.gui.frame_words import chain_name
from ldam_studio.gui.one_line import OneLine
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.preview import Preview
from ldam_studio.gui.qt import present

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame
    from ldam_studio.engine.picture import Bytes
    from ldam_studio.export.filmstrip.pins import Pin
    from ldam_studio.export.shown import Shown
    from ldam_studio.networks.pixels import PixelSpec


class Beside(QFrame):
    """Shows the picture of a pin at the left, and the running session in the same way at the right.

    Parameters
    ----------
    pin
        The pin.
    picture
        Its whole picture, (H, W, 3).
    shown
        What that shows.
    """

    restored = pyqtSignal()
    closed = pyqtSignal()

    def __init__(self, pin: Pin, picture: Bytes, shown: Shown) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setAccessibleName("A pin beside the present")
        self._shown = shown
        self._then, self._now = Preview(fixed=False), Preview(fixed=False)
        self._then.setAccessibleName(f"Pinned: {words.spoken(pin)}")
        self._then.show_image(picture)
        self._now.setAccessibleName("Now")
        self._title = _title("")
        row = self._row = QHBoxLayout()
        row.setSpacing(16)
        pinned = f"Pinned  {pin.neuron}, {words.step(pin)}, {_what(shown)}"
        for title, image in ((_title(pinned), self._then), (self._title, self._now)):
            column = QVBoxLayout()
            column.addWidget(title)
            column.addWidget(image, 1)
            row.addLayout(column)
        self._share(0, picture)
        self._share(1, picture)
        self._differences = Paragraph()
        self._differences.setAlignment(Qt.AlignmentFlag.AlignCenter)
        back, close = QPushButton("Go Back to the Pin"), QPushButton("Close")
        back.clicked.connect(self.restored)
        close.clicked.connect(self.closed)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(back)
        buttons.addWidget(close)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addLayout(row, 1)
        if pin.note:
            note = OneLine()
            note.setText(pin.note)
            note.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(note)
        layout.addWidget(self._differences)
        layout.addLayout(buttons)
        self.setFocusProxy(close)

    def say(self, differences: str) -> None:
        """Say which settings differ."""
        if differences != self._differences.text():
            self._differences.setText(differences)

    def show_frame(self, frame: Frame, pixels: PixelSpec) -> None:
        """Show the present session."""
        images = [lane.average for lane in frame.lanes]
        averages = [image for image in images if image is not None]
        if self._shown.what != "average" or len(averages) < len(images):
            averages = []
        shown = replace(self._shown, what="average" if averages else "raw", zoom=1)
        rows = [image[None] for image in averages or [lane.raw for lane in frame.lanes]]
        try:
            picture = composed(rows, pixels, shown)
        except StudioError:  # a picture that is too large
            self._now.show_image(None)
        else:
            self._now.show_image(picture)
            self._share(1, picture)
        named = chain_name(frame.lanes[0])
        self._title.setText(f"Now  {named}, step {frame.step:,}, {_what(shown)}")

    def _share(self, side: int, picture: Bytes) -> None:
        """Give the picture of several networks more room, so that all images have one size."""
        height, width = picture.shape[:2]
        self._row.setStretch(side, max(1, round(100 * width / height)))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Close on Esc."""
        if present(event).key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)


def _title(text: str) -> OneLine:
    made = OneLine()
    made.setProperty("role", "title")
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    made.setText(text)
    return made


def _what(shown: Shown) -> str:
    return "average" if shown.what == "average" else "raw sample"
