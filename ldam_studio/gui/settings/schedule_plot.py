"""The plot of a schedule: a setting's values over the steps, with points to move."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QSizePolicy, QWidget

from ldam_studio.gui.frame_words import thousands
from ldam_studio.gui.qt import present
from ldam_studio.gui.settings.schedule_axes import Axes, added, halfway, moved, of_chain, path
from ldam_studio.gui.theme import theme
from ldam_studio.sampler.curve import Point, text_of
from ldam_studio.sampler.schedule import CURVE_OF, follows, points
from ldam_studio.sampler.schedule_settings import CURVES
from ldam_studio.sampler.settings import SETTINGS, Settings

MARGIN = 8  # pixels around the plot, so that points at its edge can be taken
RADIUS = 4.5  # of a point
NEAR = 11  # pixels within which a press takes a point
HEIGHT = 118


MOUSE = "Drag points. A double click adds a point, a right click removes it"
KEYS = (
    "Page Up and Page Down choose a point, arrow keys move it, with Shift further; Insert adds a "
    "point, Delete removes it"
)


class SchedulePlot(QWidget):
    """Shows the values that a schedule gives a setting; curves are edited here.

    `MOUSE` and `KEYS` say how.
    """

    drawn = pyqtSignal(str, str)  # the setting of the curve, its points as a text
    gesture = pyqtSignal(str, bool)  # a point was taken (True) or released
    chosen = pyqtSignal()  # another point was chosen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.settings, self.name = Settings(), "step_size"
        self.chain = self.at = 0
        self.now: float | None = None
        self.selected = 0
        self._axes = Axes.of(self.settings, self.name, 0)
        self._held: int | None = None  # the point that is dragged
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self._describe()

    def sizeHint(self) -> QSize:
        """Return a size that fits into the panel of settings."""
        return QSize(240, HEIGHT + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """Return a narrow size of the same height."""
        return QSize(120, self.sizeHint().height())

    # What is shown

    def show_schedule(self, settings: Settings, name: str, chain: int) -> None:
        """Show the schedule of a setting, for one of the chains."""
        if (settings, name, chain) != (self.settings, self.name, self.chain):
            if name != self.name:
                self.selected = 0
            self.settings, self.name, self.chain = settings, name, chain
            self._refresh()

    def show_present(self, at: int, now: float | None) -> None:
        """Show the present step of the schedule, and the value that it gives the setting."""
        if (at, now) != (self.at, self.now):
            self.at, self.now = at, now
            self._refresh()

    def points(self) -> tuple[Point, ...]:
        """Return the points that can be moved; none unless the shape is "curves"."""
        return points(self.settings, self.name) if self.is_editable else ()

    @property
    def is_editable(self) -> bool:
        """Whether points can be added and moved."""
        return self.settings.schedule_shape == CURVES and self.isEnabled()

    def words(self) -> str:
        """Return the selected point in words; empty if there is none."""
        drawn = self.points()
        if not drawn:
            return ""
        step, value = drawn[self.selected]
        where = f"point {self.selected + 1} of {len(drawn)}"
        return f"{where}: step {thousands(step)}, {value:.4g}"

    def place_of(self, point: Point) -> QPointF:
        """Return where a point lies, in logical pixels."""
        return self._place(self._axes.across(point.step), self._axes.up(point.value))

    def _refresh(self) -> None:
        if self._held is None:
            self._axes = Axes.of(self.settings, self.name, self.at)
        self.selected = min(self.selected, max(len(self.points()) - 1, 0))
        self._describe()
        self.update()

    def _describe(self) -> None:
        label = SETTINGS[self.name].label
        self.setAccessibleName(f"Schedule of {label}")
        words = self.words() or "no points"
        self.setAccessibleDescription(f"{words}; {KEYS}" if self.is_editable else "")
        self.setToolTip(f"<p>{MOUSE}.</p><p>{KEYS}.</p>" if self.is_editable else "")

    # Editing

    def _draw(self, drawn: list[Point]) -> None:
        self.drawn.emit(CURVE_OF[self.name], text_of(drawn))
        self.chosen.emit()

    def _select(self, number: int) -> None:
        self.selected = number
        self._describe()
        self.update()
        self.chosen.emit()

    def _move(self, step: int, value: float) -> None:
        drawn = self.points()
        changed = moved(drawn, self.selected, step, value)
        if tuple(changed) != drawn:
            self._draw(changed)

    def _add(self, step: int, value: float) -> None:
        drawn = self.points()
        if not drawn and step > 0:
            own = of_chain(self.settings, self.name, step, self.chain)
            drawn = (Point(0, own),)
        changed, number = added(drawn, step, value)
        self.selected = number
        self._draw(changed)

    def _remove(self, number: int) -> None:
        drawn = self.points()
        if drawn:
            self.selected = max(min(number, len(drawn) - 2), 0)
            self._draw([*drawn[:number], *drawn[number + 1 :]])

    def _near(self, where: QPointF) -> int | None:
        distances = [(self.place_of(point) - where).manhattanLength() for point in self.points()]
        nearest = min(range(len(distances)), key=distances.__getitem__, default=None)
        return nearest if nearest is not None and distances[nearest] <= NEAR else None

    # Mouse and keyboard

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Take the point under the pointer, or remove it with the right button."""
        event = present(event)
        number = self._near(event.position())
        if not self.is_editable or number is None:
            return
        if event.button() == Qt.MouseButton.RightButton:
            self._remove(number)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._held = number
            self._select(number)
            self.gesture.emit(CURVE_OF[self.name], True)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Move the point that was taken."""
        event = present(event)
        if self._held is not None:
            self._move(*self._at(event.position()))
            return
        over = self.is_editable and self._near(event.position()) is not None
        cursor = Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor
        self.setCursor(cursor)

    def mouseReleaseEvent(self, _event: QMouseEvent | None) -> None:
        """Release the point."""
        if self._held is not None:
            self._held = None
            self.gesture.emit(CURVE_OF[self.name], False)
            self._refresh()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Add a point where there is none."""
        event = present(event)
        left = event.button() == Qt.MouseButton.LeftButton
        if self.is_editable and left and self._near(event.position()) is None:
            self._add(*self._at(event.position()))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Choose, move, add or remove a point."""
        event = present(event)
        key, keys, drawn = event.key(), Qt.Key, self.points()
        if not self.is_editable:
            super().keyPressEvent(event)
        elif key in (keys.Key_PageUp, keys.Key_PageDown) and drawn:
            by = -1 if key == keys.Key_PageUp else 1
            self._select(min(max(self.selected + by, 0), len(drawn) - 1))
        elif key in (keys.Key_Insert, keys.Key_Plus) and drawn:
            self._add(*halfway(drawn, self.selected, self._axes))
        elif key in (keys.Key_Insert, keys.Key_Plus):
            self._add(0, of_chain(self.settings, self.name, 0, self.chain))
        elif key in (keys.Key_Delete, keys.Key_Backspace):
            self._remove(self.selected)
        elif key in ARROWS and drawn:
            self._nudge(*ARROWS[key], large=event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        else:
            super().keyPressEvent(event)

    def _nudge(self, right: int, up: int, *, large: object) -> None:
        axes, (step, value) = self._axes, self.points()[self.selected]
        times = 10 if large else 1
        if up:
            value = axes.value(axes.up(value) + 0.01 * up * times)
        unit = max((axes.last - axes.first) // 100, 1)
        self._move(step + right * unit * times, value)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Show which point the keys move."""
        super().focusInEvent(event)
        self.chosen.emit()
        self.update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """No longer show it."""
        super().focusOutEvent(event)
        self.chosen.emit()
        self.update()

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw in the colours of another theme."""
        super().changeEvent(event)
        self.update()

    # Painting

    def _area(self) -> QRectF:
        text = self.fontMetrics().height()
        return QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN - text)

    def _place(self, across: float, up: float) -> QPointF:
        area = self._area()
        return QPointF(area.left() + across * area.width(), area.bottom() - up * area.height())

    def _at(self, where: QPointF) -> tuple[int, float]:
        area, axes = self._area(), self._axes
        up = (area.bottom() - where.y()) / max(area.height(), 1)
        return axes.step((where.x() - area.left()) / max(area.width(), 1)), axes.value(up)

    def paintEvent(self, _event: QPaintEvent | None) -> None:
        """Paint the values, the points, the present position and the ends of the axes."""
        colours, area, painter = theme.current(), self._area(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = area.adjusted(-MARGIN + 1, -MARGIN + 1, MARGIN - 1, MARGIN - 1)
        focused = self.hasFocus() and self.is_editable
        edge = colours.colour("accent" if focused else "outline")
        painter.setPen(QPen(edge, 2 if focused else 1))
        painter.setBrush(colours.colour("surface"))
        painter.drawRoundedRect(frame, 4, 4)
        self._paint_axes(painter, area)
        active = follows(self.settings, self.name)
        line = path(self.settings, self.name, self._axes, self.chain)
        pen = QPen(colours.colour("accent" if active else "muted"), 1.8 if active else 1.2)
        if not active:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([self._place(*share) for share in line]))
        share = self._axes.across(self.at)
        if active and 0 <= share <= 1:
            self._paint_present(painter, share, area)
        for number, point in enumerate(self.points()):
            taken = number == self.selected and focused
            painter.setPen(QPen(colours.colour("text" if taken else "accent"), 2))
            painter.setBrush(colours.colour("accent" if taken else "surface"))
            radius = RADIUS + taken
            painter.drawEllipse(self.place_of(point), radius, radius)
        painter.end()

    def _paint_present(self, painter: QPainter, share: float, area: QRectF) -> None:
        colours = theme.current()
        x = self._place(share, 0).x()
        painter.setPen(QPen(colours.colour("warning"), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        if self.now is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colours.colour("warning"))
            painter.drawEllipse(self._place(share, self._axes.up(self.now)), 3.5, 3.5)

    def _paint_axes(self, painter: QPainter, area: QRectF) -> None:
        axes, colours = self._axes, theme.current()
        painter.setPen(colours.colour("muted"))
        low = 0.0 if axes.scale.zero or not axes.scale.logarithmic else axes.scale.minimum
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        below = QRectF(area.left() - MARGIN, area.bottom() + MARGIN, self.width() - 2, 0)
        below.setHeight(self.fontMetrics().height())
        painter.drawText(below, left, f"{thousands(axes.first)}")
        painter.drawText(below, right, f"{thousands(axes.last)} steps")
        top = Qt.AlignmentFlag.AlignTop
        painter.drawText(area.adjusted(-4, -5, 0, 0), left | top, f"{axes.scale.maximum:g}")
        bottom = Qt.AlignmentFlag.AlignBottom
        painter.drawText(area.adjusted(-4, 0, 0, 5), left | bottom, f"{low:g}")


ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
