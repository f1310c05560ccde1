"""Draws a ladder of temperatures: a bar between neighbours shows how often they exchange images."""

from __future__ import annotations

import math

from PyQt6.QtCore import QEvent, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.tempering.words import Ladder, temperature_texts
from ldam_studio.gui.theme import theme
from ldam_studio.gui.theme.paint import Pencil, logical
from ldam_studio.sampler.tempering import BAND

MOST = 0.6  # the rate at the upper end; what is above it is as bad as it
WIDEST = 90  # logical pixels between two rungs
THICKEST = 28  # logical pixels of a bar
LEFT = 44  # logical pixels for the texts of the axis


class LadderView(QWidget):
    """A ladder from cold, at the left, to hot; a click on a rung chooses its chain."""

    chosen = pyqtSignal(int)  # the number of a chain

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ladder: Ladder | None = None
        self._front = 0
        self.setMinimumHeight(64)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Ladder of temperatures")

    def show_ladder(self, ladder: Ladder, front: int) -> None:
        """Show a ladder, and mark the chain that is in front."""
        if (ladder, front) != (self._ladder, self._front):
            self._ladder, self._front = ladder, front
            self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which the bars can be compared."""
        return QSize(480, 110)

    # Geometry, in device pixels

    def _frame(self) -> QRect:
        """Return the part of the widget that has the bars; the temperatures stand below it."""
        ratio = self.devicePixelRatioF()
        text = self.fontMetrics().height()
        whole = QRect(0, 0, int(self.width() * ratio), int(self.height() * ratio))
        left, top, foot = (round(n * ratio) for n in (LEFT, text / 2 + 1, text + 8))
        return whole.adjusted(left, top, -round(12 * ratio), -foot)

    def _apart(self) -> float:
        """Return the distance between two rungs."""
        assert self._ladder is not None
        gaps = max(1, len(self._ladder.chains) - 1)
        return min(self._inner() / gaps, WIDEST * self.devicePixelRatioF())

    def _inner(self) -> float:
        return max(1.0, self._frame().width() - 2 * self._inset())

    def _inset(self) -> float:
        return 14 * self.devicePixelRatioF()

    def _x(self, rung: int) -> float:
        return self._frame().left() + self._inset() + rung * self._apart()

    def _y(self, rate: float) -> int:
        frame = self._frame()
        return round(frame.bottom() + 1 - frame.height() * min(rate, MOST) / MOST)

    def rung_at(self, x: float) -> int:
        """Return the rung next to a position, in logical pixels."""
        assert self._ladder is not None
        at = (x * self.devicePixelRatioF() - self._x(0)) / self._apart()
        return min(max(round(at), 0), len(self._ladder.chains) - 1)

    def bar(self, number: int) -> QRect:
        """Return the bar between a rung and the next one, in logical pixels."""
        return logical(self._bar(number), self.devicePixelRatioF())

    def _bar(self, number: int) -> QRect:
        assert self._ladder is not None
        rate = self._ladder.rates[number]
        apart = self._apart()
        wide = max(2, round(min(apart * 0.6, THICKEST * self.devicePixelRatioF())))
        middle = (self._x(number) + self._x(number + 1)) / 2
        top = self._y(0 if math.isnan(rate) else rate)
        return QRect(round(middle - wide / 2), top, wide, self._y(0) - top)

    # Events

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose the chain of the rung that was clicked."""
        event = present(event)
        if self._ladder is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self._ladder.chains[self.rung_at(event.position().x())])

    def event(self, event: QEvent | None) -> bool:
        """Show what is known of the rung under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._ladder:
            QToolTip.showText(event.globalPos(), self.tip(self.rung_at(event.pos().x())), self)
            return True
        return super().event(event)

    def tip(self, rung: int) -> str:
        """Return a text about a rung."""
        assert self._ladder is not None
        what = "the coldest, which is averaged" if not rung else f"rung {rung}"
        words = [
            f"Chain {self._ladder.chains[rung] + 1}, {what}: temperature "
            f"{self._ladder.temperatures[rung]:.3g}."
        ]
        for number, other in ((rung - 1, "colder"), (rung, "hotter")):
            if 0 <= number < len(self._ladder.rates):
                rate = self._ladder.rates[number]
                said = "not known yet" if math.isnan(rate) else f"{100 * rate:.0f} %"
                words.append(f"Exchanges with the next {other} rung: {said}.")
        return "\n".join([*words, "The shaded band is good: 20 to 40 %. A click shows the chain."])

    # Painting

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the band, the bars, and the temperatures below the rungs."""
        if self._ladder is None:
            return
        pencil, frame = Pencil(self), self._frame()
        top, bottom = self._y(BAND[1]), self._y(BAND[0])
        band = QRect(frame.left(), top, frame.width(), bottom - top)
        pencil.painter.fillRect(band, theme.current().colour("success", 36))
        pencil.fill(QRect(frame.left(), self._y(0), frame.width(), 1), "outline")
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        small = pencil.font(size=0.9)
        high = round(self.fontMetrics().height() * pencil.ratio)
        for rate in (0, *BAND):
            place = QRect(
                0, self._y(rate) - high // 2, frame.left() - round(6 * pencil.ratio), high
            )
            pencil.text(place, f"{100 * rate:.0f} %", "muted", flags=right, font=small)
        for number, rate in enumerate(self._ladder.rates):
            good = BAND[0] <= rate <= BAND[1]
            pencil.fill(self._bar(number), "success" if good else "warning")
        self._paint_rungs(pencil)
        pencil.painter.end()

    def _paint_rungs(self, pencil: Pencil) -> None:
        """Paint a dot for each rung, and as many of the temperatures as there is room for."""
        assert self._ladder is not None
        small, line = pencil.font(size=0.9), self._y(0)
        dot = max(2, round(3 * pencil.ratio))
        texts = temperature_texts(self._ladder.temperatures)
        room = max(pencil.width(text, small) for text in texts) + 8 * pencil.ratio
        every = max(1, math.ceil(room / self._apart()))
        high = round(self.fontMetrics().height() * pencil.ratio)
        pencil.painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for rung, chain in enumerate(self._ladder.chains):
            front, x = chain == self._front, round(self._x(rung))
            token = "accent" if front else "muted"
            size = 2 * dot if front else dot
            pencil.painter.setPen(Qt.PenStyle.NoPen)
            pencil.painter.setBrush(theme.current().colour(token))
            pencil.painter.drawEllipse(x - size, line - size, 2 * size, 2 * size)
        pencil.painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for rung, text in enumerate(texts):
            last = len(texts) - 1
            if rung == last or (rung % every == 0 and last - rung >= every):
                x = round(self._x(rung))
                place = QRect(x - round(room / 2), line + 2 * dot, round(room), high)
                token = "accent" if self._ladder.chains[rung] == self._front else "text"
                pencil.text(place, text, token, font=small)
