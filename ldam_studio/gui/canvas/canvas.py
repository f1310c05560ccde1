"""The raw sample and its running average, side by side, pixel by pixel; of two lanes, in two rows.

Painted by hand because all views share one zoom, because the pixels of a small image must cover
whole numbers of *device* pixels, and because a frame may cost a fraction of a millisecond only: the
sampler's thread waits for the interpreter meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ldam_studio.gui.canvas.layout import (
    ONE_LANE,
    TWO_LANES,
    Layout,
    Metrics,
    arrange,
    unfitted,
)
from ldam_studio.gui.canvas.paint import paint_pane, paint_title
from ldam_studio.gui.canvas.panes import AVERAGE, RAW, Shown, shown_of
from ldam_studio.gui.canvas.viewport import Viewport, pan, pixel_at, zoom
from ldam_studio.gui.frame_words import pixel_words, shorter_counts, shorter_names
from ldam_studio.gui.theme.paint import Badge, Pencil, logical

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame
    from ldam_studio.gui.session.model import Display
    from ldam_studio.networks.network import PixelSpec


class Canvas(QWidget):
    """Linked views of the front chain in each lane; shows frames and asks for nothing itself."""

    front_stepped = pyqtSignal(int)  # -1 or +1: the chain before or after

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 150)
        self.setAccessibleName("Raw sample and running average")
        self._frame: Frame | None = None
        self._pixels: PixelSpec | None = None
        self._shown = Shown()
        self._view = Viewport()
        self._layout: Layout | None = None
        self._panes: tuple[QRect, ...] = ()  # of the layout, in units of the widget; so all these
        self._titles: tuple[QRect, ...] = ()
        self._readout = QRect()
        self._cursor: QPointF | None = None
        self._grip: QPointF | None = None
        self._details: tuple[str, ...] = ()
        self._badges: tuple[tuple[Badge, ...], ...] = ()
        self._empty = ("", "")
        self._hint = ""
        self._ringed = False

    # What is shown

    def show_frame(self, frame: Frame, display: Display, pixels: PixelSpec) -> None:
        """Show a frame; the same frame again with another display is how a paused view changes."""
        resized = self._frame is None or frame.raw.shape[1:] != self._frame.raw.shape[1:]
        before, self._shown = self._shown, shown_of(frame, display, pixels)
        self._frame, self._pixels = frame, pixels
        moved = self._view.part is not None and self._view.part != frame.field
        if moved:
            # Another neuron came to the front, or one that sees it all.
            self._view = Viewport(part=frame.field)
        same = self._shown.has_the_panes_of(before)
        if resized or moved or not same or self._layout is None:
            self._relayout()
            return
        for pane in self._panes:
            self.update(pane)
        if self._cursor is not None:
            self.update(self._readout)

    def clear(self) -> None:
        """Show no image, as while a session opens."""
        self._frame, self._shown = None, Shown()
        self._relayout()

    @property
    def difference_scale(self) -> float | None:
        """What the difference of the averages is shown up to; None where none is shown."""
        return self._shown.scale

    def set_details(self, *words: str) -> None:
        """Say beside the panes' titles what is shown."""
        if words != self._details:
            if words[:1] != self._details[:1]:
                self.setAccessibleDescription(f"Front chain: {words[0]}")
            self._details = words
            self._update_titles()

    def set_badges(self, *badges: tuple[Badge, ...]) -> None:
        """Show the states of the front chain beside the panes' titles."""
        if badges != self._badges:
            self._badges = badges
            self._update_titles()

    def set_empty(self, raw: str, average: str) -> None:
        """Say what stands in a pane that has no image."""
        if (raw, average) != self._empty:
            self._empty = (raw, average)
            self.update()

    def set_hint(self, text: str) -> None:
        """Say something under the images while no pixel is read there."""
        if text != self._hint:
            self._hint = text
            self.update()

    # Zoom

    @property
    def view(self) -> Viewport:
        """The zoom and place, shared by both panes."""
        return self._view

    def fit(self) -> None:
        """Show the whole image as large as it goes."""
        self._view = Viewport()
        self._relayout()

    def zoom_to_field(self) -> bool:
        """Let what the front neuron sees fill the view, and go on following it; again: all of it.

        Returns
        -------
        False where it sees the whole image, which is shown as it was.
        """
        if self._view.part is not None:
            self.fit()
        elif self._frame is None or self._frame.field is None:
            return False
        else:
            self._view = Viewport(part=self._frame.field)
            self._relayout()
        return True

    def zoom_by(self, notches: int, at: QPointF | None = None) -> None:
        """Zoom about a point of the widget, by default the middle of the raw sample."""
        if self._layout is None:
            return
        place = self._device_point(at) if at is not None else None
        pane = self._pane_at(place) if place is not None else None
        if pane is None:
            pane = self._layout.panes[0]
            place = QPointF(pane.center())
        size, metrics = self._size(), self._metrics()
        free = unfitted(size, self._layout, pane, metrics)
        full = arrange(size, self._layout.image, free, metrics, self._cells())
        new = full.panes[self._layout.panes.index(pane)]
        self._view = zoom(free, notches, (place.x() - new.left(), place.y() - new.top()))
        self._relayout()

    def image_rects(self) -> tuple[QRect, ...]:
        """Return where the images lie, in device pixels of the widget."""
        layout = self._layout or self._relayout()
        return tuple(layout.image_in(pane) for pane in layout.panes)

    # Events

    def resizeEvent(self, event: QEvent) -> None:
        """Fit again, or keep the zoom."""
        super().resizeEvent(event)
        self._relayout()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme and the size of the type."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._relayout()

    def event(self, event: QEvent) -> bool:
        """Follow the window to a display of another scaling; say what a title has no room for."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._relayout()
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos()), self)
            return True
        return super().event(event)

    def tip_at(self, at: QPoint) -> str:
        """Return the whole title of the pane whose title lies at a point of the widget."""
        for name, words, part in zip(self._shown.titles, self._details, self._titles, strict=False):
            if part.contains(at):
                return f"{name}  {words}".strip()
        return ""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the pointer."""
        event.accept()
        if event.angleDelta().y():
            self.zoom_by(1 if event.angleDelta().y() > 0 else -1, event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag the image."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the pixel under the pointer; with the button down, move the image."""
        self._cursor = event.position()
        layout = self._layout
        if layout is None:
            return
        if self._grip is not None and event.buttons() & Qt.MouseButton.LeftButton:
            ratio = self.devicePixelRatioF()
            moved = (event.position() - self._grip) * ratio
            if round(moved.x()) or round(moved.y()):
                self._grip = event.position()
                pane = self._pane_at(self._device_point(event.position())) or layout.panes[0]
                free = unfitted(self._size(), layout, pane, self._metrics())
                self._view = pan(free, round(moved.x()), round(moved.y()))
                self._relayout()
            return
        self._update_hover()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the image go."""
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Fit."""
        self._grip = None
        self.fit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keyboard is to whoever uses it to get about."""
        super().focusInEvent(event)
        self._ringed = event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
            Qt.FocusReason.ShortcutFocusReason,
        )
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that it has left."""
        super().focusOutEvent(event)
        self._ringed = False
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Read no pixel any more."""
        self._cursor = None
        self._update_hover()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with + and -, fit with 0, go to the neighbouring chain with the arrows."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        notches = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}
        key = Qt.Key(event.key())
        if key in steps:
            self.front_stepped.emit(steps[key])
        elif key in notches:
            self.zoom_by(notches[key])
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        """Prefer room for two images."""
        return QSize(720, 400)

    # Read-out

    def readout(self) -> str:
        """Return what is under the pointer: place, raw and average value in pixel units."""
        found = self._hovered()
        if found is None or self._frame is None or self._pixels is None:
            return ""
        return pixel_words(self._frame, self._pixels, *found)

    def _hovered(self) -> tuple[int, int] | None:
        if self._cursor is None or self._layout is None or self._frame is None:
            return None
        at = self._device_point(self._cursor)
        pane = self._pane_at(at)
        if pane is None:
            return None
        place = at.x() - pane.left(), at.y() - pane.top()
        return pixel_at(self._layout.view, self._layout.image, place)

    def _update_hover(self) -> None:
        for part in (*self._panes, self._readout):
            self.update(part)

    # Geometry

    def _size(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        return int(self.width() * ratio), int(self.height() * ratio)

    def _metrics(self) -> Metrics:
        close = self._cells() is TWO_LANES
        return Metrics.of(QFontMetricsF(self.font()), self.devicePixelRatioF(), close=close)

    def _relayout(self) -> Layout:
        shape = (1, 28, 28) if self._frame is None else self._frame.raw.shape
        image = int(shape[2]), int(shape[1])
        self._layout = arrange(self._size(), image, self._view, self._metrics(), self._cells())
        self._view = self._layout.view
        self._panes = tuple(self._logical(pane) for pane in self._layout.panes)
        self._titles = tuple(self._logical(title) for title in self._layout.titles)
        self._readout = self._logical(self._layout.readout)
        self.update()
        return self._layout

    def _cells(self) -> tuple[tuple[int, float], ...]:
        return ONE_LANE if len(self._shown.images) == len(ONE_LANE) else TWO_LANES

    def _device_point(self, at: QPointF) -> QPointF:
        return at * self.devicePixelRatioF()

    def _pane_at(self, at: QPointF) -> QRect | None:
        if self._layout is not None:
            for pane in self._layout.panes:
                if pane.contains(at.toPoint()):
                    return pane
        return None

    def _logical(self, part: QRect) -> QRect:
        return logical(part, self.devicePixelRatioF())

    def _update_titles(self) -> None:
        for title in self._titles:
            self.update(title)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what the event asks for; a frame asks for the two images only."""
        layout = self._layout or self._relayout()
        dirty = event.region()
        pencil = Pencil(self)
        pencil.fill(QRect(0, 0, *self._size()).adjusted(0, 0, 2, 2), "canvas")
        for number, (pane, title) in enumerate(zip(layout.panes, layout.titles, strict=True)):
            if dirty.intersects(self._titles[number]):
                self._paint_title(pencil, title, number)
            if dirty.intersects(self._panes[number]):
                pencil.painter.setClipRect(pane)
                self._paint_image(pencil, pane, number)
                pencil.painter.setClipping(False)
        if dirty.intersects(self._readout):
            words = self.readout()
            pencil.text(layout.readout, words or self._hint, "muted" if words else "accent")
        if self._ringed:
            pencil.outline(QRect(0, 0, *self._size()), "accent", 2)
        pencil.painter.end()

    def _paint_image(self, pencil: Pencil, pane: QRect, number: int) -> None:
        layout, image = self._layout, self._shown.images[number]
        assert layout is not None
        if image is None:
            target = layout.image_in(pane) & pane
            pencil.fill(target, "surface")
            last = number == len(TWO_LANES) - 1
            pencil.paragraph(target, self._empty[AVERAGE if last else number % 2], "muted")
            return
        paint_pane(pencil, layout, pane, image, self._shown.fields[number], self._hovered())

    def _paint_title(self, pencil: Pencil, part: QRect, number: int) -> None:
        words = self._details[number] if number < len(self._details) else ""
        badges = self._badges[number] if number < len(self._badges) else ()
        is_raw = number % 2 == RAW and number < len(TWO_LANES) - 1
        shorter = shorter_names(words) if is_raw else shorter_counts(words)
        paint_title(pencil, part, self._shown.titles[number], badges, words, shorter)
