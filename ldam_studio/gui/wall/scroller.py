"""A wall that is zoomed about the pointer, and scrolled where it is larger than its place."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QPointF, QRect, Qt, pyqtSignal
from PyQt6.QtGui import QFontMetricsF, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QAbstractScrollArea, QFrame, QScrollBar, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.relaid import Relaid
from ldam_studio.gui.wall.arrangement import Metrics
from ldam_studio.gui.wall.layout import Columns, Layout, Sections, divide, place

READABLE, LABELLED = 28, 44  # sizes of thumbnails in logical pixels, see `Metrics`
LARGEST = 640  # largest size of a thumbnail, in logical pixels
NOTCH = 1.25  # factor of one notch of the wheel


class Scroller(Relaid, QAbstractScrollArea):
    """Lays chains out for the room there is, and keeps zoom and position."""

    sized = pyqtSignal(int)  # the longer side of a thumbnail, in device pixels

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._columns: Columns = ((0,),)
        self._image = (28, 28)  # width, height
        self._titles: tuple[str, ...] = ()  # of several networks
        self._zoom = 1.0
        self._usual = 1  # size of a thumbnail without zoom
        self._sections, self._layout = self._fresh()

    @property
    def layout_now(self) -> Layout:
        """The rectangles of the chains, in device pixels of the whole wall."""
        return self._layout

    @property
    def zoom(self) -> float:
        """The size of thumbnails relative to that at which they fit."""
        return self._zoom

    # Geometry

    @property
    def _ratio(self) -> float:
        return self.devicePixelRatioF()

    def _metrics(self) -> Metrics:
        line = QFontMetricsF(self.font()).height() + 2
        sizes = (6, 4, 5, line, READABLE, LABELLED)
        return Metrics(*(round(size * self._ratio) for size in sizes))

    def _area(self) -> tuple[int, int]:
        """Return the room in device pixels, without bars."""
        size = self.maximumViewportSize()
        return max(int(size.width() * self._ratio), 1), max(int(size.height() * self._ratio), 1)

    def _fresh(self) -> tuple[Sections, Layout]:
        area, metrics = self._area(), self._metrics()
        length = max(map(len, self._columns))
        count = max(1, len(self._titles))

        def divided(room: tuple[int, int]) -> tuple[Sections, Layout]:
            asked = len(self._columns), length, self._image
            made = divide(room, *asked, metrics, count, metrics.line)
            self._usual = made.arrangement.size
            zoom = self._zoom
            if zoom < 1:
                # What is smaller leaves room for more chains beside each other.
                finer = replace(metrics, smallest=max(1, round(self._usual * zoom)))
                made, zoom = divide(room, *asked, finer, count, metrics.line), 1.0
            return made, place(made, self._columns, self._image, metrics, room, zoom)

        found = divided(area)
        if found[1].size[1] > area[1]:
            # The bar takes from the width, so that columns must be fewer or narrower.
            bar = present(self.verticalScrollBar()).sizeHint().width()
            found = divided((area[0] - round(bar * self._ratio), area[1]))
        return found

    def relayout(self) -> None:
        """Lay out anew, and keep what is in the middle there."""
        self._sections, self._layout = self._fresh()
        self._set_bars()
        present(self.viewport()).update()
        self.sized.emit(max(self._layout.thumb))

    def _set_bars(self) -> None:
        area, whole = self._area(), self._layout.size
        bar = round(present(self.verticalScrollBar()).sizeHint().width() * self._ratio)
        high = whole[1] > area[1]
        wide = whole[0] > area[0] - bar * high
        for scroll, extent, room in (
            (self.horizontalScrollBar(), whole[0], area[0] - bar * high),
            (self.verticalScrollBar(), whole[1], area[1] - bar * wide),
        ):
            scroll = present(scroll)
            scroll.setPageStep(max(1, round(room / self._ratio)))
            scroll.setSingleStep(max(1, round(self._layout.thumb[1] / self._ratio)))
            scroll.setRange(0, max(0, -(-(extent - room) // max(1, round(self._ratio)))))

    @property
    def _offset(self) -> tuple[int, int]:
        """The point of the wall at the viewport's top left corner, in device pixels."""
        bars = (self.horizontalScrollBar(), self.verticalScrollBar())
        across, down = (round(present(bar).value() * self._ratio) for bar in bars)
        return across, down

    def _on_wall(self, at: QPointF) -> tuple[float, float]:
        """Return the point of the wall at a point of the viewport."""
        left, top = self._offset
        return at.x() * self._ratio + left, at.y() * self._ratio + top

    def _chain_at(self, at: QPointF) -> int | None:
        return self._layout.at(*self._on_wall(at))

    def _scroll_by(self, across: float, down: float) -> None:
        """Move the content by so many logical pixels."""
        for bar, by in ((self.horizontalScrollBar(), across), (self.verticalScrollBar(), down)):
            scroll: QScrollBar = present(bar)
            scroll.setValue(scroll.value() - round(by))

    def _show_chain(self, chain: int) -> None:
        """Scroll to a chain in the first section, if it is not visible."""
        if chain >= len(self._layout.cells):
            return
        thumb, (left, top) = self._layout.thumb_of(chain), self._offset
        size, spare = present(self.viewport()).size(), self._metrics().line
        room = int(size.width() * self._ratio), int(size.height() * self._ratio)
        part = QRect(left, top, *room)
        if part.contains(thumb):
            return
        across = min(0, thumb.left() - spare - left) or max(0, thumb.right() + spare - part.right())
        down = min(0, thumb.top() - spare - top) or max(0, thumb.bottom() + spare - part.bottom())
        self._scroll_by(-across / self._ratio, -down / self._ratio)

    # Zoom

    def fit(self) -> None:
        """Show thumbnails at the size at which they fit."""
        self.zoom_to(1.0)

    def zoom_by(self, notches: float, at: QPointF | None = None) -> None:
        """Enlarge thumbnails about a point of the viewport, by default its middle."""
        self.zoom_to(self._zoom * NOTCH**notches, at)

    def zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Set the size of thumbnails; what is at a point of the viewport stays there."""
        size = max(self._usual, 1)
        least = min(1.0, self._fitting_size() / size)
        most = max(1.0, LARGEST * self._ratio / size)
        zoom = min(max(zoom, least), most)
        if zoom == self._zoom:
            return
        at = at or QPointF(present(self.viewport()).rect().center())
        point = self._on_wall(at)
        section, chain = self._layout.nearest(*point)
        before = self._layout
        corner = before.corners[section, chain]
        aside = [(point[i] - corner[i]) / before.thumb[i] for i in (0, 1)]
        self._zoom = zoom
        self.relayout()
        after = self._layout
        corner = after.corners[section, chain]
        wanted = [corner[i] + aside[i] * after.thumb[i] for i in (0, 1)]
        now = self._on_wall(at)
        self._scroll_by(*((now[i] - wanted[i]) / self._ratio for i in (0, 1)))

    def _fitting_size(self) -> int:
        """Return the size of thumbnails at which all chains are visible."""
        metrics, length = self._metrics(), max(map(len, self._columns))
        asked = len(self._columns), length, self._image, metrics, max(1, len(self._titles))
        found = divide(self._area(), *asked, metrics.line, all_fit=True)
        return max(found.arrangement.size, 1)

    # Events

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Lay out for the new room."""
        super().resizeEvent(event)
        self.relayout()

    def scrollContentsBy(self, _across: int, _down: int) -> None:
        """Paint the part that is visible now."""
        present(self.viewport()).update()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom about the pointer; with Shift, scroll."""
        event = present(event)
        turned = event.angleDelta()
        event.accept()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._scroll_by(turned.x() / 2, turned.y() / 2)
        elif turned.y():
            self.zoom_by(turned.y() / 120, event.position())
