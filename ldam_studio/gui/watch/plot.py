"""The timeline: a mark for each checkpoint, curves of loss and accuracy, and a cursor."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QEvent, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QPixmap,
)
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.theme.paint import Pencil
from ldam_studio.gui.watch.drawing import CURVES, draw
from ldam_studio.gui.watch.timeline import Timeline, Values, facts_of, words_of

MARGIN = 7  # logical pixels at both ends, so that the first and last mark can be clicked
MARKS = 9  # height of the marks, in logical pixels
CURVE = 34  # height of the curves
PAGE = 10  # checkpoints that Page Up and Page Down skip


class TimelinePlot(QWidget):
    """Shows all checkpoints and which one is current; emits the one that the user wants to see."""

    wanted = pyqtSignal(int)  # the index of a checkpoint
    newest = pyqtSignal()  # follow the newest checkpoint from now on
    toggled = pyqtSignal()  # play the checkpoints, or stop playing

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.timeline = Timeline()
        self.current: int | None = None
        self.pinned: int | None = None
        self._scale = "linear"
        self._empty = self._running = ""
        self._drawn = QPixmap()  # the curves and marks, kept while only the cursor moves
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Timeline of checkpoints")
        self._describe()

    def sizeHint(self) -> QSize:
        """Return a size for a line of text, the curves and the marks."""
        return QSize(320, self.fontMetrics().height() + CURVE + MARKS + 8)

    def minimumSizeHint(self) -> QSize:
        """Return a narrow size of the same height."""
        return QSize(120, self.sizeHint().height())

    # What is shown

    def show_timeline(self, timeline: Timeline) -> None:
        """Show other checkpoints, none of them current until `show_current` is called."""
        self.timeline = timeline.scaled(self._scale)
        self._drawn = QPixmap()
        self.current = self.pinned = None
        self._describe()
        self.update()

    def show_scale(self, scale: str) -> None:
        """Place the checkpoints on one of `SCALES`; the current one stays."""
        self._scale = scale
        self.timeline = self.timeline.scaled(scale)
        self._drawn = QPixmap()
        self.update()

    def show_current(
        self, current: int | None, pinned: int | None = None, running: str = ""
    ) -> None:
        """Mark the current checkpoint and the pinned one.

        Parameters
        ----------
        current, pinned
            Indices of checkpoints; None for none.
        running
            Name of the checkpoint whose weights the chains have. It differs from the current one if
            that cannot be shown.
        """
        if (current, pinned, running) != (self.current, self.pinned, self._running):
            self.current, self.pinned, self._running = current, pinned, running
            self._describe()
            self.update()

    def set_empty(self, text: str) -> None:
        """Set the text that is shown while there is no checkpoint."""
        if text != self._empty:
            self._empty = text
            self._describe()
            self.update()

    def words(self) -> str:
        """Return the text about the current checkpoint."""
        if not len(self.timeline):
            return self._empty
        if self.current is None:
            return self.timeline.words()
        checkpoint = self.timeline.checkpoints[self.current]
        trouble = self.timeline.troubles.get(checkpoint.path)
        if trouble is None:
            return words_of(checkpoint)
        return f"Still {self._running} · {trouble}" if self._running else trouble

    def _describe(self) -> None:
        of = f", {self.timeline.count(self.current)}" if self.current is not None else ""
        self.setAccessibleDescription(
            f"{self.words()}{of}; arrow keys go to the previous or next one"
        )

    # Positions, in logical pixels

    def x_of(self, index: int) -> float:
        """Return the horizontal position of a checkpoint's mark."""
        return MARGIN + float(self.timeline.places[index]) * self._span()

    def _span(self) -> int:
        return max(1, self.width() - 2 * MARGIN)

    def _index_at(self, x: float) -> int:
        return self.timeline.nearest((x - MARGIN) / self._span())

    # Mouse and keyboard
    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Go to the checkpoint that was clicked."""
        self._scrub(present(event))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Go to the checkpoint under the pointer while the button is down."""
        self._scrub(present(event))

    def _scrub(self, event: QMouseEvent) -> None:
        if present(event).buttons() & Qt.MouseButton.LeftButton and len(self.timeline):
            self._want(self._index_at(present(event).position().x()))

    def _want(self, index: int) -> None:
        index = min(max(index, 0), len(self.timeline) - 1)
        if index != self.current:
            self.wanted.emit(index)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Go to a previous or later checkpoint, or play."""
        key, keys = present(event).key(), Qt.Key
        if key == keys.Key_Space:
            self.toggled.emit()
            return
        if key == keys.Key_End:
            self.newest.emit()
            return
        by: dict[int, int] = {
            keys.Key_Left: -1,
            keys.Key_Right: 1,
            keys.Key_PageUp: -PAGE,
            keys.Key_PageDown: PAGE,
        }
        if not len(self.timeline) or (key not in by and key != keys.Key_Home):
            super().keyPressEvent(event)
            return
        last = len(self.timeline) - 1
        here = last if self.current is None else self.current
        self._want(0 if key == keys.Key_Home else here + by[key])

    def event(self, event: QEvent | None) -> bool:
        """Show the checkpoint under the pointer as a tool tip."""
        if present(event).type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            if len(self.timeline):
                index = self._index_at(event.pos().x())
                QToolTip.showText(event.globalPos(), self._tip(index), self)
            return True
        return super().event(event)

    def _tip(self, index: int) -> str:
        checkpoint = self.timeline.checkpoints[index]
        lines = [words_of(checkpoint), checkpoint.path.name]
        trouble = self.timeline.troubles.get(checkpoint.path)
        return "\n".join(dict.fromkeys([*lines, trouble] if trouble else lines))

    # Painting

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the text, the curves, the marks and the cursor."""
        pencil = Pencil(self)
        ratio = pencil.ratio
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        whole = QRect(0, 0, width, height)
        pencil.fill(whole, "surface")
        line = round(self.fontMetrics().height() * ratio)
        top = round(2 * ratio)
        if not len(self.timeline):
            pencil.paragraph(whole, self._empty, "muted")
        else:
            self._paint_words(pencil, QRect(round(MARGIN * ratio), top, width, line))
            xs = np.round((MARGIN + self.timeline.places * self._span()) * ratio)
            room = QSize(width, height - top - line - round(2 * ratio))
            # In a window that is too low for all of its parts there is room for the words alone.
            if room.isEmpty():
                self._drawn = QPixmap()
            elif self._drawn.size() != room:
                self._drawn = draw(self.timeline, xs, room, round(MARKS * ratio), ratio)
            pencil.painter.drawPixmap(0, top + line, self._drawn)
            self._paint_places(pencil, xs, top + line, height)
        pencil.outline(whole, "accent" if self.hasFocus() else "outline")
        pencil.painter.end()

    def _paint_words(self, pencil: Pencil, room: QRect) -> None:
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        of = self.timeline.count(self.current)
        end = self.width() * pencil.ratio - room.x()
        room.setRight(round(end))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        taken = pencil.text(room, of, "muted", flags=right)
        room.setRight(round(end - taken - 10 * pencil.ratio))
        checkpoint = None if self.current is None else self.timeline.checkpoints[self.current]
        if checkpoint is None or checkpoint.path in self.timeline.troubles:
            pencil.text(room, self.words(), "muted" if checkpoint is None else "danger", flags=left)
            return
        for number, (name, words) in enumerate(facts_of(checkpoint).items()):
            words = f" · {words}" if number else words
            taken = pencil.text(room, words, CURVES.get(name, "text"), flags=left)
            room.setLeft(round(room.left() + taken))
            if room.width() <= 0:
                return

    def _paint_places(self, pencil: Pencil, xs: Values, top: int, bottom: int) -> None:
        ratio = pencil.ratio
        for index, token in ((self.pinned, "text"), (self.current, "accent")):
            if index is None:
                continue
            x, thick = int(xs[index]), max(2, round(2 * ratio))
            pencil.fill(QRect(x - thick // 2, top, thick, bottom - top), token)
            side = round((9 if token == "accent" else 7) * ratio)
            pencil.fill(QRect(x - side // 2, bottom - side - round(2 * ratio), side, side), token)

    def changeEvent(self, event: QEvent | None) -> None:
        """Paint again when the theme changes."""
        super().changeEvent(event)
        if present(event).type() == QEvent.Type.PaletteChange:
            self._drawn = QPixmap()
            self.update()

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Show the focus."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Remove the sign of the focus."""
        super().focusOutEvent(event)
        self.update()
