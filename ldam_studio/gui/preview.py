"""A picture of bytes, such as one that is about to be exported, or that was opened."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QEvent, QRect, QSize
from PyQt6.QtGui import QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.theme.paint import Pencil, qimage


class Preview(QWidget):
    """Shows the picture as large as possible, each pixel as a square of whole device pixels.

    Parameters
    ----------
    fixed
        Whether its width is fixed, as in a dialog.
    """

    def __init__(self, *, fixed: bool = True) -> None:
        super().__init__()
        self._image: np.ndarray | None = None
        self.setAccessibleName("Preview")
        width = QSizePolicy.Policy.Fixed if fixed else QSizePolicy.Policy.Expanding
        self.setSizePolicy(width, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Return a size for single pictures and for wide grids."""
        return QSize(224, 224)

    def show_image(self, image: np.ndarray | None) -> None:
        """Show a picture: bytes of shape (H, W, 3); None for no picture."""
        self._image = image
        self.setVisible(image is not None)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the picture in the middle."""
        if self._image is None:
            return
        pencil = Pencil(self)
        room = QRect(0, 0, int(self.width() * pencil.ratio), int(self.height() * pencil.ratio))
        rows, columns = self._image.shape[:2]
        scale = min(room.width() / columns, room.height() / rows)
        scale = int(scale) if scale >= 1 else scale
        width, height = max(1, int(columns * scale)), max(1, int(rows * scale))
        part = QRect((room.width() - width) // 2, (room.height() - height) // 2, width, height)
        pencil.painter.drawImage(part, qimage(self._image))
        pencil.outline(part.adjusted(-1, -1, 1, 1), "outline")
        pencil.painter.end()

    def changeEvent(self, event: QEvent | None) -> None:
        """Paint again when the theme changes."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange:
            self.update()
