"""A strip over the whole range of a neuron's activations on real images, with the drawn image."""

from __future__ import annotations

import math
from collections.abc import Mapping

from PyQt6.QtCore import QLineF, QPointF, QRect, QSize, Qt
from PyQt6.QtGui import QFontMetricsF, QPen

from ldam_studio.explore.real_images.evidence import Evidence
from ldam_studio.explore.real_images.standing import RAW, number
from ldam_studio.gui.real_images.thumbnails import Spot, Thumbnails
from ldam_studio.gui.theme import theme
from ldam_studio.gui.theme.paint import Pencil

LARGEST, SMALLEST, GAP = 72, 22, 4  # of an example and between two, in logical pixels
THUMBS = 0.42  # share of the height that the examples take
REAL = 0.62
"""Share of the width that real images keep at least, however far beyond them the drawn one lies."""
COLOURS = {RAW: "warning"}
OTHER = "accent"


class Scale:
    """Maps activations to pixels; beyond the real ones it may be compressed.

    Parameters
    ----------
    low, high
        Smallest and largest activation of real images.
    drawn
        Activations of drawn images.
    left, right
        Ends of the scale in pixels.
    """

    def __init__(
        self, low: float, high: float, drawn: Mapping[str, float], left: float, right: float
    ) -> None:
        values = [value for value in drawn.values() if math.isfinite(value)]
        self.low, self.high = low, high
        self._least, self._most = min([low, *values]), max([high, *values])
        whole = right - left
        span = self._most - self._least
        below, above = (low - self._least) / span, (self._most - high) / span
        self.is_broken = 1 - below - above < REAL
        if self.is_broken:
            beyond = below + above
            below, above = ((1 - REAL) * part / beyond for part in (below, above))
        self._edges = (left, left + below * whole, right - above * whole, right)

    def at(self, value: float) -> float:
        """Return the pixel of an activation."""
        value = min(max(value, self._least), self._most)
        left, first, last, right = self._edges
        if value < self.low:
            return left + (first - left) * (value - self._least) / (self.low - self._least)
        if value > self.high:
            return last + (right - last) * (value - self.high) / (self._most - self.high)
        return first + (last - first) * (value - self.low) / (self.high - self.low)

    @property
    def breaks(self) -> tuple[float, ...]:
        """The pixels at which the scale changes."""
        left, first, last, right = self._edges
        if not self.is_broken:
            return ()
        return tuple(at for at, end in ((first, left), (last, right)) if abs(at - end) > 1)


class RangeStrip(Thumbnails):
    """A histogram with real images at quantiles above it, and marks for the drawn image."""

    def __init__(self) -> None:
        super().__init__("Real images over the whole range of activations")
        self.drawn: Mapping[str, float] = {}

    def show_drawn(self, drawn: Mapping[str, float]) -> None:
        """Mark the activations of the drawn image."""
        drawn = {name: value for name, value in drawn.items() if math.isfinite(value)}
        if drawn != self.drawn:
            self.drawn = drawn
            self.relayout()

    def scale(self) -> Scale | None:
        """Return the scale of the activations, in device pixels; None without images."""
        if self.evidence is None:
            return None
        ratio, bars = self.devicePixelRatioF(), self.evidence.histogram
        edge = 6 * ratio
        return Scale(bars.low, bars.high, self.drawn, edge, self.width() * ratio - edge)

    def lay_out(self, evidence: Evidence, size: QSize, ratio: float) -> list[Spot]:
        """Put each example above its activation, as near as the others let it."""
        scale = self.scale()
        assert scale is not None
        gap = round(GAP * ratio)
        count = len(evidence.spread)
        side = min(round(LARGEST * ratio), round(THUMBS * size.height()))
        side = max(round(SMALLEST * ratio), min(side, size.width() // count - gap))
        wanted = [scale.at(example.value) - side / 2 for example in evidence.spread]
        lefts = spaced(wanted, side + gap, 2, size.width() - side - 2)
        return [
            Spot(example, QRect(round(left), 2, side, side))
            for example, left in zip(evidence.spread, lefts, strict=True)
        ]

    def paint(self, pencil: Pencil) -> None:
        """Paint the histogram, lines to the examples, the scale and the marks."""
        scale = self.scale()
        if self.evidence is None or scale is None or not self.spots:
            return
        ratio = pencil.ratio
        line = round(QFontMetricsF(self.font()).height() * ratio)
        floor = round(self.height() * ratio) - line
        top = self.spots[0].rect.bottom() + round(8 * ratio)
        self._paint_bars(pencil, scale, top, floor)
        for spot in self.spots:
            foot = QPointF(scale.at(spot.example.value), top)
            head = QPointF(spot.rect.center().x(), spot.rect.bottom() + 1)
            _line(pencil, QLineF(head, foot), "control")
        self._paint_scale(pencil, scale, floor, line)
        self._paint_marks(pencil, scale, top, floor, line)

    def _paint_bars(self, pencil: Pencil, scale: Scale, top: int, floor: int) -> None:
        assert self.evidence is not None
        bars = self.evidence.histogram
        step = (bars.high - bars.low) / len(bars.counts)
        tallest = max(1, int(bars.counts.max()))
        for number_, count in enumerate(bars.counts.tolist()):
            if count:
                left = round(scale.at(bars.low + number_ * step))
                right = max(left + 1, round(scale.at(bars.low + (number_ + 1) * step)))
                height = max(round(pencil.ratio), round((floor - top) * count / tallest))
                pencil.fill(QRect(left, floor - height, right - left, height), "control")

    def _paint_scale(self, pencil: Pencil, scale: Scale, floor: int, line: int) -> None:
        width = round(self.width() * pencil.ratio)
        _line(pencil, QLineF(0, floor, width, floor), "outline")
        slant = 3 * pencil.ratio
        for at in scale.breaks:
            for shift in (0, 4 * pencil.ratio):
                x = at + shift
                _line(pencil, QLineF(x - slant, floor + slant, x + slant, floor - slant), "text")
        font, middle = pencil.font(size=0.88), Qt.AlignmentFlag.AlignVCenter
        for value, flag in ((scale.low, Qt.AlignmentFlag.AlignLeft), (scale.high, None)):
            text = number(value)
            room = round(pencil.width(text, font)) + 2
            left = scale.at(value) if flag else scale.at(value) - room
            where = QRect(round(max(0, min(left, width - room))), floor, room, line)
            flags = middle | (flag or Qt.AlignmentFlag.AlignRight)
            pencil.text(where, text, "muted", flags=flags, font=font)

    def _paint_marks(self, pencil: Pencil, scale: Scale, top: int, floor: int, line: int) -> None:
        font = pencil.font(bold=True, size=0.88)
        width = round(self.width() * pencil.ratio)
        ordered = sorted(self.drawn.items(), key=lambda each: each[1])
        for row, (name, value) in enumerate(ordered):
            token, x = COLOURS.get(name, OTHER), scale.at(value)
            _line(pencil, QLineF(x, top, x, floor + 3), token, 2)
            text = f"{name} {number(value)}"
            room = round(pencil.width(text, font)) + 4
            # To the side on which there is more room, one below the other.
            left = x + 4 * pencil.ratio if x < width / 2 else x - room - 4 * pencil.ratio
            where = QRect(round(left), top + row * line, room, line)
            pencil.fill(where, "surface")
            flags = Qt.AlignmentFlag.AlignCenter
            pencil.text(where, text, token, flags=flags, font=font)


def spaced(wanted: list[float], apart: float, low: float, high: float) -> list[float]:
    """Return positions in order, at least `apart` from each other, near those that are wanted.

    They lie between `low` and `high` if there is room.
    """
    found: list[float] = []
    for at in wanted:
        found.append(max(at, low if not found else found[-1] + apart))
    limit = high
    for position in reversed(range(len(found))):
        found[position] = min(found[position], limit)
        limit = found[position] - apart
    return found


def _line(pencil: Pencil, line: QLineF, token: str, width: int = 1) -> None:
    pen = QPen(theme.current().colour(token), max(1, round(width * pencil.ratio)))
    pencil.painter.setPen(pen)
    pencil.painter.drawLine(line)
