"""Shows all chains as thumbnails; a click or an arrow key brings one to the front."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
)
from PyQt6.QtWidgets import QToolTip, QWidget

from ldam_studio.gui.canvas.strip_layout import (
    StripLayout,
    StripMetrics,
    fits_columns,
    lay_out,
    lay_out_columns,
)
from ldam_studio.gui.frame_words import NUMBER
from ldam_studio.gui.qt import present
from ldam_studio.gui.relaid import Relaid
from ldam_studio.gui.theme.paint import MIDDLE, RIGHT, Pencil, logical, qimage
from ldam_studio.gui.tips import as_tip

THUMB = (28, 384)  # smallest and largest size of a thumbnail, in logical pixels
LABEL = 150  # largest width of a label
APART = 3  # space at both ends of a label, to keep neighbours apart


class Strip(Relaid, QWidget):
    """A strip or table of thumbnails with labels; the front chain is outlined."""

    chosen = pyqtSignal(int)  # index of the thumbnail that the user clicked or moved to
    sized = pyqtSignal(int)  # the longer side of a thumbnail, in device pixels

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Chains")
        self._labels: tuple[str, ...] = ()
        self._tips: tuple[str, ...] = ()
        self._rows: tuple[str, ...] = ()
        self._front = 0
        self._columns: tuple[tuple[int, ...], ...] = ()  # chains of the same neuron
        self._image = (28, 28)  # width and height of the network's images
        self._shape = (28, 28)  # height and width of the thumbnails
        self._atlas: QImage | None = None  # all thumbnails, one below the other
        self._layout = StripLayout(1, (), (), (), (1, 1))
        self._area = QSize()

    # What is shown

    def set_chains(
        self,
        labels: tuple[str, ...],
        tips: tuple[str, ...] = (),
        rows: tuple[str, ...] = (),
        columns: tuple[tuple[int, ...], ...] = (),
        image: tuple[int, int] = (28, 28),
    ) -> None:
        """Set the chains' labels and tool tips.

        Parameters
        ----------
        rows
            Titles of the rows of a table, in which chains stand one after the other.
        columns
            The chains of each column, where those of one neuron form a column.
        image
            Width and height of the network's images.
        """
        self._tips = tips
        if rows and len(labels) % len(rows):
            rows = ()
        now = (labels, rows, columns, image)
        if now == (self._labels, self._rows, self._columns, self._image):
            return
        self._labels, self._rows, self._columns, self._image = now
        self._atlas = None
        self.relayout()
        self._describe()

    def show_thumbnails(self, thumbnails: NDArray[np.uint8]) -> None:
        """Show images: bytes of shape (chains, H, W, 3)."""
        count, height, width = thumbnails.shape[:3]
        if count != len(self._labels):
            return
        self._atlas = qimage(thumbnails.reshape(count * height, width, 3))
        self._shape = (height, width)
        self.update(self._thumb_region())

    def set_front(self, index: int) -> None:
        """Outline the chain in front."""
        if index != self._front:
            old, self._front = self._front, index
            for changed in (old, index):
                self._update_chain(changed)
            self._describe()

    @property
    def front(self) -> int:
        """The outlined chain."""
        return self._front

    @property
    def layout_now(self) -> StripLayout:
        """The rectangles of thumbnails and labels, in device pixels."""
        return self._layout

    @property
    def table_height(self) -> int:
        """The preferred height of a table of chains; 0 without a table."""
        return len(self._rows) * (2 * THUMB[0] + 8) + 36 if self._rows else 0

    @property
    def has_rows(self) -> bool:
        """Whether the chains form a table."""
        return bool(self._rows)

    def front_rect(self) -> QRect:
        """Return the rectangle of the front chain and its label, in logical pixels."""
        if self._front >= len(self._layout.thumbs):
            return QRect()
        thumb, label = self._layout.thumbs[self._front], self._layout.labels[self._front]
        # The labels of columns stay at the top, where they may not hide the chain.
        line = self._metrics().line if self._layout.cells else 0
        return logical(thumb.united(label).adjusted(0, -line, 0, 0), self.devicePixelRatioF())

    def use_area(self, area: QSize) -> None:
        """Lay the thumbnails out for the visible part of a scroll area."""
        if area != self._area:
            self._area = QSize(area)
            self.relayout()

    # Events

    def event(self, event: QEvent | None) -> bool:
        """Show a chain's tool tip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self._at(event.pos().x(), event.pos().y())
            text = self._tips[index] if index is not None and index < len(self._tips) else ""
            QToolTip.showText(event.globalPos(), as_tip(text), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Bring the chain under the pointer to the front."""
        event = present(event)
        index = self._at(event.position().x(), event.position().y())
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(index)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Go to a neighbouring chain."""
        moves = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        key = Qt.Key(present(event).key())
        if key in moves:
            self.chosen.emit(self._layout.neighbour(self._front, *moves[key]))
        elif key == Qt.Key.Key_Home:
            self.chosen.emit(0)
        elif key == Qt.Key.Key_End and self._labels:
            self.chosen.emit(len(self._labels) - 1)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Draw the front chain's outline thicker."""
        super().focusInEvent(event)
        self._update_chain(self._front)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Draw the front chain's outline as usual."""
        super().focusOutEvent(event)
        self._update_chain(self._front)

    def sizeHint(self) -> QSize:
        """Return the size that all thumbnails need."""
        ratio = self.devicePixelRatioF()
        return QSize(round(self._layout.size[0] / ratio), round(self._layout.size[1] / ratio))

    # Geometry

    def _metrics(self) -> StripMetrics:
        ratio = self.devicePixelRatioF()
        text = QFontMetricsF(self.font())
        heading = max((text.horizontalAdvance(row) for row in self._rows), default=-8.0) + 8
        wanted = max((text.horizontalAdvance(label) for label in set(self._labels)), default=0.0)
        return StripMetrics(
            round(6 * ratio),
            round(6 * ratio),
            round((text.height() + 2) * ratio),
            round(heading * ratio),
            round(THUMB[0] * ratio),
            round(THUMB[1] * ratio),
            round(min(wanted + 2 * APART, LABEL) * ratio),
        )

    def relayout(self) -> None:
        """Lay out again for the size and look that the widget has now."""
        ratio = self.devicePixelRatioF()
        area = self._area if self._area.isValid() else self.size()
        room, metrics = (int(area.width() * ratio), int(area.height() * ratio)), self._metrics()
        if self._columns and fits_columns(room[0], len(self._columns), metrics):
            self._layout = lay_out_columns(room, self._columns, self._image, metrics)
        else:
            count, rows = len(self._labels), len(self._rows)
            self._layout = lay_out(room, count, self._image, rows, metrics)
        needed = self.sizeHint()
        self.setMinimumSize(
            needed.width() if needed.width() > area.width() else 0,
            needed.height() if needed.height() > area.height() else 0,
        )
        self.updateGeometry()
        self.update()
        if self._layout.thumbs:
            self.sized.emit(max(self._layout.thumbs[0].width(), self._layout.thumbs[0].height()))

    def _at(self, x: float, y: float) -> int | None:
        ratio = self.devicePixelRatioF()
        index = self._layout.at(x * ratio, y * ratio)
        return index if index is not None and index < len(self._labels) else None

    def _thumb_region(self) -> QRegion:
        """Return one rectangle per row of thumbnails, so that labels are not repainted."""
        if self._layout.cells:
            return QRegion(self.rect())
        region, columns = QRegion(), self._layout.columns
        for first in range(0, len(self._layout.thumbs), columns):
            row = self._layout.thumbs[first : first + columns]
            region = region.united(
                QRegion(logical(row[0].united(row[-1]), self.devicePixelRatioF()))
            )
        return region

    def _update_chain(self, index: int) -> None:
        if index < len(self._layout.thumbs):
            margin = 6
            part = self._layout.thumbs[index].united(self._layout.labels[index])
            part = logical(part, self.devicePixelRatioF())
            self.update(part.adjusted(-margin, -margin, margin, margin))

    def _describe(self) -> None:
        if self._front < len(self._labels):
            self.setAccessibleDescription(
                f"{self._labels[self._front]}, chain {self._front + 1} of {len(self._labels)} "
                "is in front; arrow keys change it"
            )

    # Painting

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the parts that need it; a new frame changes only the thumbnails."""
        dirty, layout, ratio = present(event).region(), self._layout, self.devicePixelRatioF()
        pencil = Pencil(self)
        pencil.fill(
            QRect(0, 0, int(self.width() * ratio) + 2, int(self.height() * ratio) + 2), "canvas"
        )
        height, width = self._shape
        wide = layout.thumbs[0].width() if layout.thumbs else width
        shrunk = wide < width or wide % width > 0
        pencil.painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrunk)
        for index, thumb in enumerate(layout.thumbs[: len(self._labels)]):
            if dirty.intersects(logical(thumb, ratio)):
                if self._atlas is None:
                    pencil.fill(thumb, "surface")
                else:
                    source = QRect(0, index * height, width, height)
                    pencil.painter.drawImage(thumb, self._atlas, source)
            if index == self._front:
                around = round(3 * ratio)
                ring = thumb.adjusted(-around, -around, around, around)
                pencil.outline(ring, "accent", 2 if self.hasFocus() else 1)
                if not self.hasFocus():
                    inner = ring.adjusted(1, 1, -1, -1)
                    pencil.outline(inner, "accent", 1)
        self._paint_labels(pencil, dirty)
        pencil.painter.end()

    def _paint_labels(self, pencil: Pencil, dirty: QRegion) -> None:
        ratio = self.devicePixelRatioF()
        apart = round(APART * ratio)
        # The labels of columns stay where they can be seen.
        top = round(self.visibleRegion().boundingRect().top() * ratio) if self._layout.cells else 0
        if top:
            line = self._metrics().line
            pencil.fill(QRect(0, top, int(self.width() * ratio) + 2, line), "canvas")
        for index, label in enumerate(self._layout.labels[: len(self._labels)]):
            label = label.translated(0, max(0, top - label.top())) if top else label
            if label.height() > 0 and dirty.intersects(logical(label, ratio)):
                token = "text" if index == self._front else "muted"
                place = label.adjusted(apart, 0, -apart, 0)
                text = self._labels[index]
                if pencil.width(text) > place.width():
                    # In a long row of one layer's neurons, the numbers tell them apart.
                    text = text.rpartition(":")[2]
                pencil.text(place, text, token, elide=_elision(text))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for title, place in zip(self._rows, self._layout.headings, strict=True):
            if dirty.intersects(logical(place, ratio)):
                pencil.text(place, title, "muted", flags=left)


def _elision(label: str) -> Qt.TextElideMode:
    """Return where to shorten a label, so that a number at its end is kept."""
    return MIDDLE if NUMBER in label else RIGHT
