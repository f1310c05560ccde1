"""One plot of the traces: a line per chain, the front one on top, and marks of changes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QFontMetricsF
from PyQt6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from ldam_studio.gui.theme import theme
from ldam_studio.gui.traces.history import View

ROUNDING = 3  # pixels by which two texts may be narrower than both in one
BAND_FROM = 25  # this many chains are a thicket of lines: their range is filled instead


def _between(first: str, second: str, share: float) -> QColor:
    one, two = QColor(first).getRgb(), QColor(second).getRgb()
    return QColor(*(round(a + share * (b - a)) for a, b in zip(one[:3], two[:3], strict=True)))


class _Axis(pg.AxisItem):
    """An axis with plain numbers, 12,000 rather than 1.2e+04, as many as are apart."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Return the texts of the ticks."""
        if self.logMode or self.orientation == "left":
            return super().tickStrings(values, scale, spacing)
        return [f"{value:,.0f}" for value in values]

    def tickValues(
        self, minVal: float, maxVal: float, size: float
    ) -> list[tuple[float, Sequence[float]]]:
        """Return where ticks are: round numbers whose texts fit, one at least."""
        if not (size > 0 and maxVal > minVal):
            return [(1.0, [])]
        least = (maxVal - minVal) * self._room(maxVal) / size  # from one text to the next
        middle = (minVal + maxVal) / 2

        def from_middle(tick: float) -> float:
            return abs(tick - middle)

        spacing, ticks = self._ticks(minVal, maxVal, least)
        fitting = [tick for tick in ticks if from_middle(tick) <= (maxVal - minVal - least) / 2]
        if not fitting:
            spacing, ticks = self._ticks(minVal, maxVal, least / 5)
            fitting = [min(ticks, key=from_middle)] if ticks else []
        return [(spacing, fitting)]

    def _ticks(self, low: float, high: float, least: float) -> tuple[float, list[float]]:
        """Return round numbers that are at least so far apart, and how far they are."""
        if self.logMode:
            return 1.0, _powers(low, high, least)
        # There are no half steps.
        spacing = _round_up(max(1.0, least) if self.orientation == "bottom" else least)
        numbers = range(math.ceil(low / spacing), math.floor(high / spacing) + 1)
        return spacing, [number * spacing for number in numbers]

    def _room(self, longest: float) -> float:
        """Return the pixels from one text to the next along the axis."""
        metrics = QFontMetricsF(self.style["tickFont"] or QFont())
        if self.orientation == "left":
            return 1.3 * metrics.height()
        return metrics.horizontalAdvance(f"{longest:,.0f}") + 2 * metrics.averageCharWidth()

    def logTickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Return the texts of ticks on a logarithmic axis, whose values are exponents."""
        return [f"{10.0**value:.0e}".replace("e-0", "e-").replace("e+0", "e") for value in values]


def _round_up(spacing: float) -> float:
    """Return the next of 1, 2, 5, 10, ... that is not below a spacing."""
    power = 10.0 ** math.floor(math.log10(spacing))
    return next(part * power for part in (1, 2, 5, 10, 20) if part * power >= spacing * (1 - 1e-9))


def _powers(low: float, high: float, least: float) -> list[float]:
    """Return exponents of ticks on a logarithmic axis: of 1, 2 and 5, or of powers of ten alone."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    within = (0.0,)
    if least <= math.log10(2):
        within = (0.0, math.log10(2), math.log10(5))
    elif least <= math.log10(3):
        within = (0.0, math.log10(3))
    every = max(1, math.ceil(least))
    ticks = [p + part for p in powers if p % every == 0 for part in within]
    return [tick for tick in ticks if low <= tick <= high]


class _Line(pg.PlotCurveItem):
    """A curve whose bounds are what is visible: finding out its own costs more than drawing it."""

    def boundingRect(self) -> QRectF:
        """Return what the view shows; a change of that calls ``prepareGeometryChange``."""
        box = self.getViewBox()
        return QRectF() if box is None else box.viewRect()


class TracePlot(QWidget):
    """A titled plot over steps.

    Parameters
    ----------
    title
        What is plotted, with its unit.
    logarithmic
        Whether the vertical axis is; values that are not above 0 are then left out.
    limits
        Fixed ends of the vertical axis; None follows what is visible.
    """

    hovered = pyqtSignal(object)  # the step under the pointer, None when it leaves

    def __init__(
        self,
        title: str,
        logarithmic: bool = False,
        limits: tuple[float, float] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._value = ""
        self._title_text, self._logarithmic, self._limits = title, logarithmic, limits
        self._y: tuple[float, float] = limits or (0.0, 1.0)
        self._x: tuple[float, float] | None = None
        self._title = QLabel(title)
        self._title.setProperty("role", "muted")
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        # A view box and two axes: pyqtgraph's PlotItem would add menus that nobody opens here.
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
        self._axes = {"left": _Axis("left"), "bottom": _Axis("bottom")}
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
        self._extra = _Line()
        self._second = _Line()
        self._front = _Line()
        self._cursor = pg.InfiniteLine(movable=False)
        self._cursor.hide()
        for item in (
            self._band,
            self._marks,
            self._others,
            self._extra,
            self._second,
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
        """Return how many stretches are worth drawing at this width: one for four pixels."""
        return max(32, int(self._box.width()) // 4)

    def show_lines(
        self, view: View, front: int, extra: View | None = None, second: View | None = None
    ) -> None:
        """Draw the means (m, chains) as lines, and a band from least to greatest.

        The band is the front chain's; with many chains it is that of all others, whose lines would
        be a thicket. ``extra`` (m,) and ``second`` (m,), the front chain of a second network, are
        further lines, told apart by their colours.
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
            # One path for all, broken by NaN: ten items would cost ten times the overhead.
            others = np.delete(mean, front, axis=1)
            breaks = np.full((1, chains - 1), np.nan, np.float32)
            flat = np.concatenate((others, breaks)).T.ravel()
            self._others.setData(np.tile(np.append(x, np.nan), chains - 1), flat, connect="finite")
        self._fill(x, bottom, top)
        self._front.setData(x, np.ascontiguousarray(mean[:, front]), connect="finite")
        if extra is None:
            self._extra.setData([], [])
        else:
            self._extra.setData(extra.steps.astype(np.float64), extra.mean, connect="finite")
        beside = self._show_second(second)
        if self._limits is None:
            self._fit(np.append(low, beside), np.append(high, beside))

    def _show_second(self, second: View | None) -> NDArray[np.float32]:
        """Draw the second network's line; returns its values as they are drawn."""
        if second is None:
            self._second.setData([], [])
            return np.zeros(0, np.float32)
        values = np.ascontiguousarray(self._scaled(second.mean))
        self._second.setData(second.steps.astype(np.float64), values, connect="finite")
        return values

    def _scaled(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if not self._logarithmic:
            return values
        return np.log10(values, where=values > 0, out=np.full_like(values, np.nan))

    def _fill(self, x: np.ndarray, bottom: np.ndarray, top: np.ndarray) -> None:
        known = np.isfinite(bottom)
        if not len(x) or np.array_equal(bottom[known], top[known]):
            self._band.setData([], [])
            return
        # One outline for each stretch without a gap; NaN parts them.
        changes = np.flatnonzero(np.diff(np.concatenate(([False], known, [False]))))
        gap = np.array([np.nan])
        outline, edges = [], []
        for first, end in changes.reshape(-1, 2):
            part = slice(first, end)
            outline += [x[part], x[part][::-1], gap]
            edges += [top[part], bottom[part][::-1], gap]
        self._band.setData(np.concatenate(outline), np.concatenate(edges), connect="finite")

    def _fit(self, lowest: NDArray[np.float32], highest: NDArray[np.float32]) -> None:
        """Fit the vertical range, but leave it where it is while it fits well enough."""
        low, high = (np.float32(np.nan), np.float32(np.nan))
        if lowest.size:
            low = np.fmin.reduce(lowest, axis=None)
            high = np.fmax.reduce(highest, axis=None)
        if not (np.isfinite(low) and np.isfinite(high)):
            return
        low, high = float(low), float(high)
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
        reach = 10 * (high - low)  # beyond both ends, whatever the range becomes until the next
        low, high = low - reach, high + reach
        x = np.repeat(np.asarray(steps, np.float64), 2)
        self._marks.setData(x, np.tile((low, high), len(steps)))

    def show_cursor(self, step: float | None) -> None:
        """Draw the pointer's line, here and in the plots beside this one."""
        self._cursor.setVisible(step is not None)
        if step is not None:
            self._cursor.setValue(step)

    def set_value(self, text: str) -> None:
        """Write the newest value into the title."""
        if text != self._value:
            self._value = text
            self._write_title()

    def _write_title(self) -> None:
        """Write what is plotted, which makes room for the newest value where both do not fit."""
        metrics, room = self._title.fontMetrics(), self._title.width()
        value = f"  {self._value}" if self._value else ""
        right = Qt.TextElideMode.ElideRight
        left = room - metrics.horizontalAdvance(value) - ROUNDING
        name = metrics.elidedText(self._title_text, right, left)
        self._title.setText(metrics.elidedText(name + value, right, room))
        self._title.setToolTip(self._title_text + value)

    def resizeEvent(self, event: QEvent) -> None:
        """Shorten the title to the room there is."""
        super().resizeEvent(event)
        self._write_title()

    # -- looks ------------------------------------------------------------------------------------

    def _colour(self) -> None:
        look = theme.current()
        self.view.setBackground(look.surface)
        # Opaque, as if it were the muted text colour at half strength: blending costs time.
        faint = _between(look.surface, look.muted, 0.45)
        self._others.setPen(pg.mkPen(faint, width=1))
        self._front.setPen(pg.mkPen(look.accent, width=1.5))
        self._extra.setPen(pg.mkPen(look.success, width=1.5))
        self._second.setPen(pg.mkPen(look.second, width=1.5))
        self._marks.setPen(pg.mkPen(look.colour("warning", 130), width=1))
        self._cursor.setPen(pg.mkPen(look.text, width=1, style=Qt.PenStyle.DotLine))
        self._band.setBrush(pg.mkBrush(_between(look.surface, look.accent, 0.28)))
        font = QFont(self.font())
        font.setPointSizeF(self.font().pointSizeF() * 0.82)
        metrics = pg.QtGui.QFontMetrics(font)
        for axis in self._axes.values():
            axis.setPen(pg.mkPen(look.outline))
            axis.setTextPen(pg.mkPen(QColor(look.muted)))
            axis.setTickFont(font)
        self._axes["left"].setWidth(metrics.horizontalAdvance("-0.005") + 10)
        self._axes["bottom"].setHeight(metrics.height() + 5)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours and the type of a new look."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._colour()

    # -- pointer ----------------------------------------------------------------------------------

    def _moved(self, where: QPointF) -> None:
        box = self._box
        if box.sceneBoundingRect().contains(where):
            step = box.mapSceneToView(where).x()
            self.hovered.emit(step if math.isfinite(step) else None)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Notice that the pointer leaves."""
        if event.type() == QEvent.Type.Leave:
            self.hovered.emit(None)
        return False
