"""A widget that paints pictures which can be pointed at, chosen by keys and clicked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QEvent, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ldam_studio.explore.real_images.evidence import Evidence
from ldam_studio.explore.real_images.index import Example
from ldam_studio.gui.qt import ENTER, present
from ldam_studio.gui.real_images.words import about
from ldam_studio.gui.relaid import Relaid
from ldam_studio.gui.theme.paint import Pencil, qimage
from ldam_studio.gui.tips import as_tip


@dataclass(frozen=True)
class Spot:
    """Where an example is painted, in device pixels."""

    example: Example
    rect: QRect


class Thumbnails(Relaid, QWidget):
    """Pictures of real images; subclasses say where they are, in `lay_out`, and paint the rest."""

    chosen = pyqtSignal(object)  # Example

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.evidence: Evidence | None = None
        self.spots: list[Spot] = []
        self._at = 0
        self._images: dict[Example, QImage] = {}

    def show_evidence(self, evidence: Evidence | None) -> None:
        """Show the images of a neuron; None for none."""
        self.evidence = evidence
        self._images.clear()
        self._at = 0
        self.relayout()

    def relayout(self) -> None:
        """Lay out and paint again."""
        ratio = self.devicePixelRatioF()
        size = QSize(int(self.width() * ratio), int(self.height() * ratio))
        self.spots = [] if self.evidence is None else self.lay_out(self.evidence, size, ratio)
        self._at = max(0, min(self._at, len(self.spots) - 1))
        self.update()

    def lay_out(self, evidence: Evidence, size: QSize, ratio: float) -> list[Spot]:
        """Return where the images are, in device pixels."""
        raise NotImplementedError

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size at which pictures can be recognised."""
        return QSize(120, 60)

    # Painting

    def paint_spots(self, pencil: Pencil) -> None:
        """Paint the pictures, and mark the one that keys have chosen."""
        for position, spot in enumerate(self.spots):
            image = self._image(spot.example)
            if image is None:
                pencil.outline(spot.rect, "outline")
                pencil.text(spot.rect, "gone", "muted", font=pencil.font(size=0.85))
            else:
                paint_within(pencil, spot.rect, image)
            if self.hasFocus() and position == self._at:
                pencil.outline(spot.rect.adjusted(-2, -2, 2, 2), "accent", 2)

    def _image(self, example: Example) -> QImage | None:
        if example not in self._images and self.evidence is not None:
            patch = self.evidence.patch(example)
            if patch is None:
                return None
            self._images[example] = qimage(np.ascontiguousarray(patch))
        return self._images.get(example)

    # Events

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Lay out for the new size."""
        super().resizeEvent(event)
        self.relayout()

    def event(self, event: QEvent | None) -> bool:
        """Show what is known of the image under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            spot = self._spot_at(event.pos().x(), event.pos().y())
            text = ""
            if spot is not None and self.evidence is not None:
                text = as_tip(about(self.evidence, spot.example))
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Show by the pointer what can be clicked."""
        at = present(event).position()
        over = self._spot_at(at.x(), at.y()) is not None
        shape = Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose the image under the pointer."""
        event = present(event)
        spot = self._spot_at(event.position().x(), event.position().y())
        if spot is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go(self.spots.index(spot))
            self.chosen.emit(spot.example)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Go to the neighbouring image, or choose the marked one."""
        key = Qt.Key(present(event).key())
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if key in moves and self.spots:
            self._go(max(0, min(self._at + moves[key], len(self.spots) - 1)))
        elif key in (*ENTER, Qt.Key.Key_Space) and self.spots:
            self.chosen.emit(self.spots[self._at].example)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Mark an image."""
        super().focusInEvent(event)
        self._go(self._at)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Mark no image."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the pictures and what belongs to them."""
        pencil = Pencil(self)
        self.paint(pencil)
        self.paint_spots(pencil)
        pencil.painter.end()

    def paint(self, pencil: Pencil) -> None:
        """Paint what lies beside and below the pictures."""

    def _go(self, position: int) -> None:
        self._at = position
        if self.evidence is not None and self.spots:
            self.setAccessibleDescription(about(self.evidence, self.spots[position].example))
        self.update()

    def _spot_at(self, x: float, y: float) -> Spot | None:
        ratio = self.devicePixelRatioF()
        found = (s for s in self.spots if s.rect.contains(int(x * ratio), int(y * ratio)))
        return next(found, None)


def paint_within(pencil: Pencil, room: QRect, image: QImage) -> QRect:
    """Paint an image as large as fits in the middle of a room; return where it is.

    Pixels of enlarged images stay squares; reduced ones are smoothed.
    """
    scale = min(room.width() / image.width(), room.height() / image.height())
    width, height = max(1, round(image.width() * scale)), max(1, round(image.height() * scale))
    left = room.x() + (room.width() - width) // 2
    part = QRect(left, room.y() + (room.height() - height) // 2, width, height)
    hint = QPainter.RenderHint.SmoothPixmapTransform
    pencil.painter.setRenderHint(hint, scale < 1)
    pencil.painter.drawImage(part, image)
    pencil.painter.setRenderHint(hint, False)
    return part
