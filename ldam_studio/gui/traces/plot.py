"""One plot of the traces: a line per chain, the front chain on top, and marks of changes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QResizeEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import theme
from ldam_studio.gui.theme.colours import mix
from ldam_studio.gui.traces.axis import PlainAxis
from ldam_studio.gui.traces.history import Floats, View

ROUNDING = 3  # pixels by which a joined text may be wider than its two parts
BAND_FROM = 25  # with this many chains or more, a band replaces their lines


class _Line(pg.PlotCurveItem):  # type: ignore[misc]  # pyqtgraph is not typed
    """A curve without bounds of its own, because computing them costs more than drawing it."""

    def boundingRect(self) -> QRectF:
        """Return the visible range."""
        box = self.getViewBox()
        return QRectF() if box is None else box.viewRect()


class TracePlot(QWidget):
    """A titled plot over steps.

    Parameters
    ----------
    title
        Title of the plot: the name of the quantity.
    short
        A shorter title for a narrow plot; empty to cut off the title there.
    logarithmic
        Whether the vertical axis is logarithmic; values of 0 and below are left out then.
    limits
        Fixed ends of the vertical axis; None for an axis that follows what is visible.
    """

    hovered = pyqtSignal(object)  # the step under the pointer; None when the pointer leaves

    def __init__(
        self,
        title: str,
        short: str = "",
        *,
        logarithmic: bool = False,
        limits: tuple[float, float] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._value = ""
        self._title_text, self._short = title, short
        self._logarithmic, self._limits = logarithmic, limits
        self._y: tuple[float, float] = limits or (0.0, 1.0)
        self._x: tuple[float, float] | None = None
        self._title = QLabel(title)
        self._title.setProperty("role", "muted")
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        # A view box and two axes; pyqtgraph's PlotItem would add menus that are not needed here.
        self.view = pg.GraphicsView()
        self.view.setMinimumHeight(48)
        self.view.setAccessibleName(f"{title}, plot over steps")
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = pg.GraphicsLayout()
        inside.setContentsMargins(0, 2, 2, 0)
        inside.setSpacing(0)
        self.view.setCentralItem(inside)
        self._box = inside.addViewBox(row=0, col=1, enableMouse=False, enableMenu=False)
        self._box.disableAutoRange()
        self._axes = {"left": PlainAxis("left"), "bottom": PlainAxis("bottom")}
        inside.addItem(self._axes["left"], row=0, col=0)
        inside.addItem(self._axes["bottom"], row=1, col=1)
        for axis in self._axes.values():
            axis.linkToView(self._box)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickLength=-3, maxTickLevel=0, hideOverlappingLabels=True)
        if logarithmic:
            self._axes["left"].setLogMode(x=False, y=True)
        if limits:
            self._box.setYRange(*limits, padding=0)
        self._band = _Line(fillLevel="enclosed", pen=None)
        self._marks = _Line(connect="pairs")
        self._others = _Line()
        self._real = _Line()
        self._comparison = _Line()
        self._front = _Line()
        self._cursor = pg.InfiniteLine(movable=False)
        self._cursor.hide()
        for item in (
            self._band,
            self._marks,
            self._others,
            self._real,
            self._comparison,
            self._front,
            self._cursor,
        ):
            self._box.addItem(item, ignoreBounds=True)
        self.view.scene().sigMouseMoved.connect(self._moved)
        self.view.viewport().installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(self._title)
        layout.addWidget(self.view, 1)
        self._colour()

    # -- drawing ----------------------------------------------------------------------------------

    def visible_range(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the ends of both axes as drawn: steps, then values."""
        (first, last), (low, high) = self._box.viewRange()
        return (first, last), (low, high)

    def stretches(self) -> int:
        """Return how many stretches to draw at this width: one for every four pixels."""
        return max(32, int(self._box.width()) // 4)

    def show_lines(
        self, view: View, front: int, real: View | None = None, comparison: View | None = None
    ) -> None:
        """Draw the means as lines, and a band from the least to the greatest values.

        The band is the range of the front chain. With `BAND_FROM` chains or more, it is the range
        of all chains and replaces the lines of the others.

        Parameters
        ----------
        view
            Values of all chains, of shape (m, chains).
        front
            Index of the front chain.
        real
            Values (m,) for real images, drawn in a colour of their own.
        comparison
            Values (m,) of the second network's front chain, drawn in a colour of their own.
        """
        x = view.steps.astype(np.float64)
        low, mean, high = (self._scaled(values) for values in view[1:])
        chains = mean.shape[1]
        many = chains >= BAND_FROM
        if many:
            bottom, top = np.fmin.reduce(low, axis=1), np.fmax.reduce(high, axis=1)
            self._others.setData([], [])
        else:
            bottom, top = low[:, front], high[:, front]
            # All lines are one path with NaN in between: ten paths would cost ten times as much.
            others = np.delete(mean, front, axis=1)
            breaks = np.full((1, chains - 1), np.nan, np.float32)
            flat = np.concatenate((others, breaks)).T.ravel()
            self._others.setData(np.tile(np.append(x, np.nan), chains - 1), flat, connect="finite")
        self._fill(x, bottom, top)
        self._front.setData(x, np.ascontiguousarray(mean[:, front]), connect="finite")
        if real is None:
            self._real.setData([], [])
        else:
            self._real.setData(real.steps.astype(np.float64), real.mean, connect="finite")
        beside = self._show_comparison(comparison)
        if self._limits is None:
            self._fit(np.append(low, beside), np.append(high, beside))

    def _show_comparison(self, view: View | None) -> Floats:
        """Draw the line of the other network; return its values as they are drawn."""
        if view is None:
            self._comparison.setData([], [])
            return np.zeros(0, np.float32)
        values = np.ascontiguousarray(self._scaled(view.mean))
        self._comparison.setData(view.steps.astype(np.float64), values, connect="finite")
        return values

    def _scaled(self, values: Floats) -> Floats:
        if not self._logarithmic:
            return values
        return np.log10(values, where=values > 0, out=np.full_like(values, np.nan))

    def _fill(self, x: NDArray[np.float64], bottom: Floats, top: Floats) -> None:
        known = np.isfinite(bottom)
        if not len(x) or np.array_equal(bottom[known], top[known]):
            self._band.setData([], [])
            return
        # One outline for each run of known values, separated by NaN.
        changes = np.flatnonzero(np.diff(np.concatenate(([False], known, [False]))))
        gap = np.array([np.nan])
        outline, edges = [], []
        for first, end in changes.reshape(-1, 2):
            part = slice(first, end)
            outline += [x[part], x[part][::-1], gap]
            edges += [top[part], bottom[part][::-1], gap]
        self._band.setData(np.concatenate(outline), np.concatenate(edges), connect="finite")

    def _fit(self, lowest: Floats, highest: Floats) -> None:
        """Fit the vertical range, unless the present one still fits well enough."""
        if not lowest.size:
            return
        low = float(np.fmin.reduce(lowest, axis=None))
        high = float(np.fmax.reduce(highest, axis=None))
        if not (math.isfinite(low) and math.isfinite(high)):
            return
        least = 1.0 if self._logarithmic else 1e-3 * max(1.0, abs(low), abs(high))
        if high - low < least:
            middle = (low + high) / 2
            low, high = middle - least / 2, middle + least / 2
        now_low, now_high = self._y
        snug = (high - low) > 0.6 * (now_high - now_low)
        if now_low <= low and high <= now_high and snug:
            return
        pad = 0.06 * (high - low)
        self._y = (low - pad, high + pad)
        self._box.setYRange(*self._y, padding=0)

    def show_range(self, first: float, last: float) -> None:
        """Show these steps."""
        if self._x != (first, last):
            self._x = (first, last)
            self._box.setXRange(first, last, padding=0)

    def show_marks(self, steps: Sequence[float]) -> None:
        """Draw a vertical line at each of these steps."""
        low, high = self._y
        reach = 10 * (high - low)  # far beyond both ends, because the range may still change
        low, high = low - reach, high + reach
        x = np.repeat(np.asarray(steps, np.float64), 2)
        self._marks.setData(x, np.tile((low, high), len(steps)))

    def show_cursor(self, step: float | None) -> None:
        """Draw a vertical line at the step under the pointer; None removes it."""
        self._cursor.setVisible(step is not None)
        if step is not None:
            self._cursor.setValue(step)

    def set_title(self, title: str) -> None:
        """Name the quantity."""
        if title != self._title_text:
            self._title_text = title
            self.view.setAccessibleName(f"{title}, plot over steps")
            self._write_title()

    def set_value(self, text: str) -> None:
        """Write the newest value into the title."""
        if text != self._value:
            self._value = text
            self._write_title()

    def _write_title(self) -> None:
        """Write title and value; the title is shorter if both do not fit."""
        metrics, room = self._title.fontMetrics(), self._title.width()
        value = f"  {self._value}" if self._value else ""
        right = Qt.TextElideMode.ElideRight
        left = room - metrics.horizontalAdvance(value) - ROUNDING
        name = self._title_text
        if self._short and metrics.horizontalAdvance(name) > left:
            name = self._short
        name = metrics.elidedText(name, right, left)
        self._title.setText(metrics.elidedText(name + value, right, room))
        self._title.setToolTip(self._title_text + value)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the title to the new width."""
        super().resizeEvent(event)
        self._write_title()

    # -- looks ------------------------------------------------------------------------------------

    def _colour(self) -> None:
        look = theme.current()
        self.view.setBackground(look.surface)
        # An opaque colour that looks half transparent, because blending is slow.
        faint = mix(look.surface, look.muted, 0.45)
        self._others.setPen(pg.mkPen(faint, width=1))
        self._front.setPen(pg.mkPen(look.accent, width=1.5))
        self._real.setPen(pg.mkPen(look.success, width=1.5))
        self._comparison.setPen(pg.mkPen(look.comparison, width=1.5))
        self._marks.setPen(pg.mkPen(look.colour("warning", 130), width=1))
        self._cursor.setPen(pg.mkPen(look.text, width=1, style=Qt.PenStyle.DotLine))
        self._band.setBrush(pg.mkBrush(mix(look.surface, look.accent, 0.28)))
        font = QFont(self.font())
        font.setPointSizeF(self.font().pointSizeF() * 0.82)
        metrics = QFontMetrics(font)
        for axis in self._axes.values():
            axis.setPen(pg.mkPen(look.outline))
            axis.setTextPen(pg.mkPen(QColor(look.muted)))
            axis.setTickFont(font)
        self._axes["left"].setWidth(metrics.horizontalAdvance("-0.005") + 10)
        self._axes["bottom"].setHeight(metrics.height() + 5)

    def changeEvent(self, event: QEvent | None) -> None:
        """Use the colours and the font of another theme."""
        super().changeEvent(event)
        if present(event).type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._colour()

    # -- pointer ----------------------------------------------------------------------------------

    def _moved(self, where: QPointF) -> None:
        box = self._box
        if box.sceneBoundingRect().contains(where):
            step = box.mapSceneToView(where).x()
            self.hovered.emit(step if math.isfinite(step) else None)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Emit `hovered` with None when the pointer leaves."""
        if present(event).type() == QEvent.Type.Leave:
            self.hovered.emit(None)
        return False
