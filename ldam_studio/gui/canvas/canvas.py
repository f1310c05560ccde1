"""Shows the raw sample beside its running average; two lanes are shown in two rows.

The canvas paints itself for three reasons: all panes share one zoom, each pixel of a small image
must cover a whole number of *device* pixels, and painting a frame may take only a fraction of a
millisecond, because the sampler's thread waits for the interpreter meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QPoint, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
)
from PyQt6.QtWidgets import QApplication, QMenu, QSizePolicy, QToolTip, QWidget

from ldam_studio.gui.canvas.paint import paint_pane, paint_title
from ldam_studio.gui.canvas.panes import AVERAGE, RAW, Shown, shown_of
from ldam_studio.gui.canvas.settled import paint_legend, settled_words
from ldam_studio.gui.canvas.zoomable import ZoomableWidget
from ldam_studio.gui.frame_words import pixel_words, shorter_counts, shorter_names
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme.paint import Badge, Pencil
from ldam_studio.gui.tips import as_tip

if TYPE_CHECKING:
    from ldam_studio.engine.frame import Frame
    from ldam_studio.gui.session.model import Display
    from ldam_studio.networks.pixels import PixelSpec


class Canvas(ZoomableWidget):
    """Shows the front chain of each lane in panes; it does not request frames itself."""

    front_stepped = pyqtSignal(int)  # -1 or +1: the previous or next chain
    dragged = pyqtSignal(str)  # "raw" or "average": the image that is dragged out of the window

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 150)
        self.setAccessibleName("Raw sample and running average")
        self._frame: Frame | None = None
        self._pixels: PixelSpec | None = None
        self._shown = Shown()
        self._details: tuple[str, ...] = ()
        self._badges: tuple[tuple[Badge, ...], ...] = ()
        self._average_badges: dict[str, Badge] = {}
        self._empty = ("", "")
        self._hint = ""
        self._ringed = False  # whether the keyboard brought the focus here
        self._lit = False
        self.menu: list[QAction] = []  # what a right click offers

    # What is shown

    def show_frame(self, frame: Frame, display: Display, pixels: PixelSpec) -> None:
        """Show a frame, or the same frame again in another display.

        Images of every resolution take the place of an image of the network's own size (`pixels`),
        so that nothing jumps when a schedule changes the resolution.
        """
        resized = self._frame is None or pixels.shape[1:] != self._shape[1:]
        before, self._shown = self._shown, shown_of(frame, display, pixels)
        self._frame, self._pixels = frame, pixels
        field = self._shown.fields[0]
        if self.view.part is not None and self.view.part != field:
            # Another neuron is in front; if it sees the whole image, the whole image is shown.
            self._panes.fit(field)
            resized = True
        if resized or not self._shown.has_the_panes_of(before):
            self._hold()
            return
        for pane in self._panes.panes:
            self.update(pane)
        if self._cursor is not None:
            self.update(self._panes.readout)

    def clear(self) -> None:
        """Show no image, because another session opens."""
        self._frame, self._shown = None, Shown()
        self._hold()

    @property
    def _shape(self) -> tuple[int, ...]:
        return (1, 28, 28) if self._frame is None or self._pixels is None else self._pixels.shape

    def _hold(self) -> None:
        shape = self._shape
        self._panes.hold((int(shape[2]), int(shape[1])), self._shown.cells)
        self.relayout()

    @property
    def difference_scale(self) -> float | None:
        """The difference of the averages shown as black or white; None without such a pane."""
        return self._shown.scale

    def set_details(self, *words: str) -> None:
        """Set the text beside the title of each pane."""
        if words != self._details:
            if words[:1] != self._details[:1]:
                self.setAccessibleDescription(f"Front chain: {words[0]}")
            self._details = words
            self._update_titles()

    def set_badges(self, *badges: tuple[Badge, ...]) -> None:
        """Set the badges at the right end of each pane's title line."""
        if badges != self._badges:
            self._badges = badges
            self._update_titles()

    def set_average_badge(self, name: str, badge: Badge | None) -> None:
        """Set a further badge of the first average, before the others; None removes it."""
        if badge != self._average_badges.get(name):
            badges = {**self._average_badges, name: badge}
            self._average_badges = {key: each for key, each in badges.items() if each is not None}
            self._update_titles()

    def set_empty(self, raw: str, average: str) -> None:
        """Set the texts in panes without an image."""
        if (raw, average) != self._empty:
            self._empty = (raw, average)
            self.update()

    def set_hint(self, text: str) -> None:
        """Set the hint below the images; pixel values replace it under the pointer."""
        if text != self._hint:
            self._hint = text
            self.update()

    def light_up(self, on: bool) -> None:
        """Show that a file can be dropped here."""
        self._lit = on
        self.update()

    # Zoom

    def zoom_to_field(self) -> bool:
        """Zoom to the front neuron's receptive field, or show the whole image again.

        Returns
        -------
        bool
            False if the neuron sees the whole image, so that nothing was changed.
        """
        if self.view.part is not None:
            self.fit()
            return True
        field = self._shown.fields[0]
        if field is None:
            return False
        self._panes.fit(field)
        self.update()
        return True

    # Events

    def event(self, event: QEvent | None) -> bool:
        """Show titles in full as tool tips."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), as_tip(self.tip_at(event.pos())), self)
            return True
        return super().event(event)

    def tip_at(self, at: QPoint) -> str:
        """Return the full title at a point of the widget; empty if there is none."""
        titles = zip(self._shown.titles, self._details, self._panes.titles, strict=False)
        for (name, *_), words, part in titles:
            if part.contains(at):
                return f"{name}  {words}".strip()
        return ""

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        """Offer what can be done with the images."""
        if self.menu:
            menu = QMenu(self)
            menu.addActions(self.menu)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(present(event).globalPos())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Drag an image that is shown whole out of the window; see the base class."""
        event, grip = present(event), self._grip
        if grip is not None and self.view.fitted and self.view.part is None:
            far = (event.position() - grip).manhattanLength() >= QApplication.startDragDistance()
            number = self._panes.number_at(grip)
            if not far or number is None:
                return
            self._grip = None
            if self._shown.images[number] is not None and not self._shown.is_difference(number):
                self.dragged.emit("raw" if number % 2 == RAW else "average")
            return
        super().mouseMoveEvent(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Draw a focus ring if the focus came by the keyboard."""
        super().focusInEvent(event)
        self._ringed = present(event).reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
            Qt.FocusReason.ShortcutFocusReason,
        )
        self.update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Remove the focus ring."""
        super().focusOutEvent(event)
        self._ringed = False
        self.update()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Zoom with + and -, fit with 0, go to a neighbouring chain with the arrow keys."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        notches = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}
        key = Qt.Key(present(event).key())
        if key in steps:
            self.front_stepped.emit(steps[key])
        elif key in notches:
            self.zoom_by(notches[key])
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        """Return a size with room for two images."""
        return QSize(720, 400)

    # Read-out

    def readout(self) -> str:
        """Return the position and the values, in pixel units, of the pixel under the pointer."""
        found = self._hovered()
        if found is None or self._frame is None or self._pixels is None:
            return ""
        words = [pixel_words(self._frame, self._pixels, *found)]
        if self._shown.legends:
            words += [
                settled_words(lane.settled, self._pixels, *found) for lane in self._frame.lanes
            ]
        return "   ".join(filter(None, words))

    def _update_titles(self) -> None:
        for title in self._panes.titles:
            self.update(title)

    # Painting

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the parts that need it; a new frame changes only the images."""
        panes, dirty = self._panes, present(event).region()
        whole = QRect(0, 0, *panes.size)
        pencil = Pencil(self)
        pencil.fill(whole.adjusted(0, 0, 2, 2), "canvas")
        for number, pane in enumerate(panes.layout.panes):
            if dirty.intersects(panes.titles[number]):
                self._paint_title(pencil, panes.layout.titles[number], number)
            if dirty.intersects(panes.panes[number]):
                pencil.painter.setClipRect(pane)
                self._paint_image(pencil, pane, number)
                pencil.painter.setClipping(False)
        if dirty.intersects(panes.readout):
            words = self.readout()
            pencil.text(panes.layout.readout, words or self._hint, "muted" if words else "accent")
        if self._ringed or self._lit:
            pencil.outline(whole, "accent", 6 if self._lit else 2)
        pencil.painter.end()

    def _paint_image(self, pencil: Pencil, pane: QRect, number: int) -> None:
        layout, image = self._panes.layout, self._shown.images[number]
        if image is None:
            target = layout.image_in(pane) & pane
            pencil.fill(target, "surface")
            kind = AVERAGE if self._shown.is_difference(number) else number % 2
            pencil.paragraph(target, self._empty[kind], "muted")
            return
        paint_pane(pencil, layout, pane, image, self._shown.fields[number], self._hovered())
        legend = self._shown.legends[number] if self._shown.legends else None
        if legend is not None:
            paint_legend(pencil, layout.image_in(pane) & pane, legend)

    def _paint_title(self, pencil: Pencil, part: QRect, number: int) -> None:
        words = self._details[number] if number < len(self._details) else ""
        badges = self._badges[number] if number < len(self._badges) else ()
        if number == AVERAGE and self._frame is not None:
            badges = (*self._average_badges.values(), *badges)
        is_raw = number % 2 == RAW and not self._shown.is_difference(number)
        shorter = shorter_names(words) if is_raw else shorter_counts(words)
        paint_title(pencil, part, self._shown.titles[number], badges, words, shorter)
