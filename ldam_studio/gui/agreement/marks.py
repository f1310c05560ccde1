"""The marks of verdicts: a shape for each kind, so that colour is never all that tells them."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ldam_studio.explore.agreement.verdict import Kind
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import theme

TOKENS = {
    Kind.AGREE: "success",
    Kind.DISAGREE: "danger",
    Kind.STUCK: "warning",
    Kind.NOT_YET: "accent",
}
NAMES = {
    Kind.AGREE: "agree",
    Kind.DISAGREE: "disagree",
    Kind.STUCK: "stuck",
    Kind.NOT_YET: "not settled",
    Kind.TOO_EARLY: "too early",
    Kind.ONE_START: "one start",
    Kind.ONE_CHAIN: "one chain",
    Kind.SILENT: "silent",
}
_TICK = ((0.1, 0.55), (0.4, 0.85), (0.9, 0.2))
_CROSS = (((0.15, 0.15), (0.85, 0.85)), ((0.15, 0.85), (0.85, 0.15)))
_BARS = (((0.3, 0.1), (0.3, 0.9)), ((0.7, 0.1), (0.7, 0.9)))
_DOTS = (0.12, 0.5, 0.88)
PAD = 7  # pixels


def paint_mark(painter: QPainter, room: QRectF, kind: Kind) -> None:
    """Paint the mark of a kind: tick, cross, two bars, three dots, or a dash."""
    colour = theme.current().colour(TOKENS.get(kind, "muted"))
    pen = QPen(colour, max(1.6, room.width() / 7))
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)

    def at(point: tuple[float, float]) -> QPointF:
        return QPointF(room.left() + point[0] * room.width(), room.top() + point[1] * room.height())

    if kind is Kind.AGREE:
        painter.drawPolyline(QPolygonF([at(point) for point in _TICK]))
    elif kind in (Kind.DISAGREE, Kind.STUCK):
        for first, last in _CROSS if kind is Kind.DISAGREE else _BARS:
            painter.drawLine(at(first), at(last))
    elif kind in (Kind.NOT_YET, Kind.TOO_EARLY):
        for across in _DOTS:
            painter.drawPoint(at((across, 0.55)))
    else:
        painter.drawLine(at((0.15, 0.5)), at((0.85, 0.5)))


class Mark(QWidget):
    """The mark of one verdict."""

    def __init__(self) -> None:
        super().__init__()
        self._kind = Kind.TOO_EARLY
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_kind(self, kind: Kind) -> None:
        """Show the mark of another kind."""
        self._kind = kind
        self.setAccessibleName(NAMES[kind])
        self.update()

    def sizeHint(self) -> QSize:
        """Return a square as high as a line of text."""
        side = self.fontMetrics().height()
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Paint the mark."""
        painter = QPainter(self)
        paint_mark(painter, QRectF(self.rect()).adjusted(2, 2, -2, -2), self._kind)
        painter.end()


class Chips(QWidget):
    """A chip with name and mark for each neuron, in as many lines as they need."""

    chosen = pyqtSignal(int)  # the number of a chip

    def __init__(self) -> None:
        super().__init__()
        self._chips: tuple[tuple[str, Kind, str], ...] = ()
        self._front = -1
        self._places: list[QRect] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setAccessibleName("Verdicts on all neurons")

    def show_chips(self, chips: Sequence[tuple[str, Kind, str]], front: int) -> None:
        """Show chips, each with its name, mark and tool tip; `front` is emphasised."""
        if (tuple(chips), front) == (self._chips, self._front):
            return
        self._chips, self._front = tuple(chips), front
        self.setAccessibleDescription(
            ", ".join(f"{name}: {NAMES[kind]}" for name, kind, _ in self._chips)
        )
        self._lay_out()
        self.update()

    def tip_at(self, x: int, y: int) -> str:
        """Return the tool tip at a point; empty between chips."""
        number = self._number_at(x, y)
        return "" if number is None else f"{self._chips[number][0]}: {self._chips[number][2]}"

    def _number_at(self, x: int, y: int) -> int | None:
        return next((n for n, place in enumerate(self._places) if place.contains(x, y)), None)

    def _lay_out(self) -> None:
        metrics = self.fontMetrics()
        line, gap = metrics.height() + PAD, 4
        x = y = 0
        self._places = []
        for name, _, _ in self._chips:
            width = min(
                metrics.horizontalAdvance(name) + metrics.height() + 3 * PAD, max(1, self.width())
            )
            if x and x + width > self.width():
                x, y = 0, y + line + gap
            self._places.append(QRect(x, y, width, line))
            x += width + gap
        self.setMinimumHeight(y + line if self._chips else 0)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Break the lines anew."""
        super().resizeEvent(event)
        self._lay_out()

    def event(self, event: QEvent | None) -> bool:
        """Show the sentence of the chip under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip_at(event.x(), event.y()), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose the chip under the pointer."""
        at = present(event).position().toPoint()
        number = self._number_at(at.x(), at.y())
        if number is not None:
            self.chosen.emit(number)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the chips that need it."""
        painter, metrics = QPainter(self), self.fontMetrics()
        dirty, now = present(event).rect(), theme.current()
        for number, ((name, kind, _), place) in enumerate(
            zip(self._chips, self._places, strict=True)
        ):
            if not place.intersects(dirty):
                continue
            front = number == self._front
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(now.colour("accent" if front else "outline"), 1))
            painter.setBrush(now.colour("raised"))
            painter.drawRoundedRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
            side = metrics.height() - 4
            mark = QRectF(place.right() - PAD - side, place.center().y() - side / 2 + 1, side, side)
            words = place.adjusted(PAD, 0, -side - 2 * PAD, 0)
            painter.setPen(now.colour("text"))
            elided = metrics.elidedText(name, Qt.TextElideMode.ElideRight, words.width())
            painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter), elided)
            paint_mark(painter, mark, kind)
        painter.end()
