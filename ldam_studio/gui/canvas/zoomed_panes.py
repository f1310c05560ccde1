"""The panes of a canvas and the zoom that they share."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRect
from PyQt6.QtGui import QFontMetricsF
from PyQt6.QtWidgets import QWidget

from ldam_studio.gui.canvas.layout import ONE_LANE, Cells, Metrics, arrange, unfitted
from ldam_studio.gui.canvas.viewport import Box, Viewport, pan, pixel_at, zoom
from ldam_studio.gui.theme.paint import logical


class ZoomedPanes:
    """Lays out the panes of a widget whenever its size, zoom or content changes.

    Attributes
    ----------
    view
        The zoom and the position of the image, the same in all panes.
    layout
        All rectangles, in device pixels.
    panes, titles, readout
        The same rectangles in logical pixels, as Qt needs them for repainting.
    """

    def __init__(self, canvas: QWidget) -> None:
        self._canvas = canvas
        self._image: tuple[int, int] = (28, 28)  # width, height
        self._cells: Cells = ONE_LANE
        self.view = Viewport()
        self.lay_out()

    def hold(self, image: tuple[int, int], cells: Cells) -> None:
        """Set the size of the images (width, height) and the cells of the panes, for `lay_out`."""
        self._image, self._cells = image, cells

    def lay_out(self) -> None:
        """Lay the panes out for the present size, font and display."""
        self.layout = arrange(self.size, self._image, self.view, self._metrics(), self._cells)
        self.view = self.layout.view
        ratio = self._canvas.devicePixelRatioF()
        self.panes = tuple(logical(pane, ratio) for pane in self.layout.panes)
        self.titles = tuple(logical(title, ratio) for title in self.layout.titles)
        self.readout = logical(self.layout.readout, ratio)

    def fit(self, part: Box | None = None) -> None:
        """Show the whole image, or a part of it, as large as possible."""
        self.view = Viewport(part=part)
        self.lay_out()

    def zoom(self, notches: int, at: QPointF | None = None) -> None:
        """Zoom about a point of the widget, by default the middle of the first pane."""
        point = at * self._canvas.devicePixelRatioF() if at is not None else QPointF()
        pane = self._pane_at(point) if at is not None else None
        if pane is None:
            pane = self.layout.panes[0]
            point = QPointF(pane.center())
        free = self._unfitted(pane)
        full = arrange(self.size, self._image, free, self._metrics(), self._cells)
        new = full.panes[self.layout.panes.index(pane)]
        self.view = zoom(free, notches, (point.x() - new.left(), point.y() - new.top()))
        self.lay_out()

    def drag(self, start: QPointF, end: QPointF) -> bool:
        """Move the image by the distance between two points of the widget.

        Returns
        -------
        bool
            False if the distance is less than a device pixel, so that nothing has moved.
        """
        ratio = self._canvas.devicePixelRatioF()
        moved = (end - start) * ratio
        across, down = round(moved.x()), round(moved.y())
        if not across and not down:
            return False
        pane = self._pane_at(end * ratio) or self.layout.panes[0]
        self.view = pan(self._unfitted(pane), across, down)
        self.lay_out()
        return True

    def number_at(self, at: QPointF) -> int | None:
        """Return the number of the pane at a point of the widget; None if there is none."""
        pane = self._pane_at(at * self._canvas.devicePixelRatioF())
        return None if pane is None else self.layout.panes.index(pane)

    def pixel_at(self, at: QPointF) -> tuple[int, int] | None:
        """Return the image pixel (x, y) at a point of the widget; None if there is none."""
        point = at * self._canvas.devicePixelRatioF()
        pane = self._pane_at(point)
        if pane is None:
            return None
        return pixel_at(self.view, self._image, (point.x() - pane.left(), point.y() - pane.top()))

    @property
    def size(self) -> tuple[int, int]:
        """The size of the widget in device pixels."""
        ratio = self._canvas.devicePixelRatioF()
        return int(self._canvas.width() * ratio), int(self._canvas.height() * ratio)

    def _unfitted(self, pane: QRect) -> Viewport:
        return unfitted(self.size, self.layout, pane, self._metrics())

    def _pane_at(self, point: QPointF) -> QRect | None:
        return next((p for p in self.layout.panes if p.contains(point.toPoint())), None)

    def _metrics(self) -> Metrics:
        text, ratio = QFontMetricsF(self._canvas.font()), self._canvas.devicePixelRatioF()
        return Metrics.of(text, ratio, close=self._cells is not ONE_LANE)
