"""A real image as the network sees it, with the part that a unit sees."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QRect, QSize, Qt
from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import QDialogButtonBox, QSizePolicy, QVBoxLayout, QWidget

from ldam_studio.explore.real_images.evidence import Evidence
from ldam_studio.explore.real_images.index import Example
from ldam_studio.gui.fitting_dialog import FittingDialog
from ldam_studio.gui.paragraph import Paragraph
from ldam_studio.gui.qt import present
from ldam_studio.gui.real_images.thumbnails import paint_within
from ldam_studio.gui.real_images.words import about
from ldam_studio.gui.theme.paint import Pencil, qimage

SIDE = 380  # of the picture, in logical pixels


class PictureDialog(FittingDialog):
    """Shows a whole image and what is known of it."""

    def __init__(
        self, evidence: Evidence, example: Example, label: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Real Image for {label}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.picture = MarkedPicture(evidence, example)
        self.words = Paragraph(about(evidence, example))
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        body = QVBoxLayout()
        body.setSpacing(10)
        body.addWidget(self.picture, 1)
        body.addWidget(self.words)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self.lay_out(body, buttons)


class MarkedPicture(QWidget):
    """The whole image, as large as there is room, with a frame around what the unit sees."""

    def __init__(self, evidence: Evidence, example: Example) -> None:
        super().__init__()
        picture = evidence.pictures.get(example.image)
        self._image = None if picture is None else qimage(picture)
        self._box = example.box
        self.setAccessibleName("The whole image")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(SIDE, SIDE)

    def minimumSizeHint(self) -> QSize:
        """Return a size at which the image can be recognised."""
        return QSize(160, 160)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the image and the frame."""
        pencil = Pencil(self)
        ratio = pencil.ratio
        room = QRect(0, 0, int(self.width() * ratio), int(self.height() * ratio))
        if self._image is None:
            pencil.paragraph(room, "This image cannot be read any more.", "muted")
        else:
            part = paint_within(pencil, room, self._image)
            if self._box is not None:
                top, left, bottom, right = self._box
                scale = part.width() / self._image.width()
                frame = QRect(
                    part.x() + round(left * scale),
                    part.y() + round(top * scale),
                    max(1, round((right - left) * scale)),
                    max(1, round((bottom - top) * scale)),
                )
                pencil.outline(frame.adjusted(-1, -1, 1, 1), "canvas", 4)
                pencil.outline(frame, "accent", 2)
        pencil.painter.end()

    def changeEvent(self, event: QEvent | None) -> None:
        """Paint again when the theme changes."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange:
            self.update()
