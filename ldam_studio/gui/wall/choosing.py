"""The wall with the mouse and the keyboard: bringing chains to the front, and choosing several."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt6.QtCore import QEvent, QPoint, QPointF, QRect, Qt, pyqtSignal
from PyQt6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QApplication, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.wall.view import WallView

MOVES = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
ZOOMS = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}
DONE = {Qt.Key.Key_K: "melt", Qt.Key.Key_R: "restart", Qt.Key.Key_H: "hold"}
"""What is done to the chosen chains, by key."""
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class Wall(WallView):
    """A wall of which some chains can be chosen."""

    fronted = pyqtSignal(int)  # this chain was brought to the front
    opened = pyqtSignal()  # the chain in front is to be shown alone
    left = pyqtSignal()
    choice_changed = pyqtSignal()
    asked = pyqtSignal(str)  # one of `DONE`, to be done to the chosen chains
    toggled = pyqtSignal()  # the chains shall run, or pause
    menu_wanted = pyqtSignal(QPoint)  # what can be done to the chosen chains, at a global point

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._chosen: frozenset[int] = frozenset()
        self._anchor = 0  # the chain from which a choice is extended
        self._pressed: QPointF | None = None
        self._moved: QPointF | None = None  # the point by which the wall is dragged
        self._kept: frozenset[int] = frozenset()  # chosen before a rectangle is drawn
        self._space = self._space_moved = False
        self._start = (0.0, 0.0)  # the first corner of a rectangle, on the wall

    # The choice

    @property
    def chosen(self) -> frozenset[int]:
        """The chains that are chosen."""
        return self._chosen

    def choose(self, chains: Iterable[int]) -> None:
        """Choose these chains instead of those before."""
        chosen = frozenset(chain for chain in chains if 0 <= chain < self.chains)
        if chosen != self._chosen:
            self._chosen = chosen
            present(self.viewport()).update()
            self.choice_changed.emit()
            self.describe()

    def set_front(self, chain: int) -> None:
        """Mark the chain in front, and scroll to it."""
        super().set_front(chain)
        self.describe()

    def describe(self) -> None:
        """Tell a screen reader which chain is in front, and how many are chosen."""
        words = f"{self.state_words(self._front)}; in front"
        if self._chosen:
            words += f"; {len(self._chosen)} chosen"
        self.setAccessibleDescription(words)

    def _go_to(self, chain: int, *, extends: bool) -> None:
        if extends:
            self.choose(self._layout.between(min(self._anchor, self.chains - 1), chain))
        else:
            self._anchor = chain
        self.fronted.emit(chain)

    # The mouse

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Begin to choose, or to drag the wall."""
        event = present(event)
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._space):
            self._moved, self._space_moved = event.position(), self._space
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif left:
            self._pressed = event.position()
            self._kept = self._chosen if event.modifiers() & (CTRL | SHIFT) else frozenset()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Drag the wall, or draw the rectangle of the chains to choose."""
        event = present(event)
        at = event.position()
        if self._moved is not None:
            by = at - self._moved
            self._moved = at
            self._scroll_by(by.x(), by.y())
        elif self._pressed is not None:
            far = (at - self._pressed).manhattanLength() >= QApplication.startDragDistance()
            if far and self._band is None:
                self._start = self._on_wall(self._pressed)
                self._band = QRect()
            if self._band is not None:
                self._draw_band(at)

    def _draw_band(self, at: QPointF) -> None:
        x, y = self._on_wall(at)
        left, right = sorted((round(self._start[0]), round(x)))
        top, bottom = sorted((round(self._start[1]), round(y)))
        self._band = QRect(left, top, max(right - left, 1), max(bottom - top, 1))
        self.choose(self._kept | frozenset(self._layout.within(self._band)))
        present(self.viewport()).update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """End a rectangle or a drag; a click brings a chain to the front or chooses it."""
        event = present(event)
        if self._moved is not None:
            self._moved = None
            self.unsetCursor()
            return
        pressed, band = self._pressed, self._band
        self._pressed = self._band = None
        if pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if band is not None:
            present(self.viewport()).update()
            return
        self._click(self._chain_at(event.position()), event.modifiers())

    def _click(self, chain: int | None, keys: Qt.KeyboardModifier) -> None:
        if chain is None:
            if not keys & (CTRL | SHIFT):
                self.choose(())
        elif keys & SHIFT:
            self.choose(
                {*self._layout.between(self._anchor, chain), *(self._chosen if keys & CTRL else ())}
            )
        elif keys & CTRL:
            self._anchor = chain
            self.choose(self._chosen ^ {chain})
        else:
            self.choose(())
            self._go_to(chain, extends=False)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Leave the wall, and show the chain under the pointer."""
        event = present(event)
        chain = self._chain_at(event.position())
        if chain is not None and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = None
            self.fronted.emit(chain)
            self.opened.emit()

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        """Offer what can be done to the chosen chains, or to the one under the pointer."""
        event = present(event)
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        chain = self._chain_at(event.pos().toPointF()) if by_mouse else self._front
        if chain is not None and chain not in self._chosen:
            self.choose((chain,))
        if self._chosen:
            self.menu_wanted.emit(event.globalPos())

    # The keyboard

    def event(self, event: QEvent | None) -> bool:
        """Keep the keys that act on chosen chains from the actions on all chains."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            key = Qt.Key(event.key())
            ours = key == Qt.Key.Key_Space or (key in DONE and bool(self._chosen))
            if ours and event.modifiers() in (Qt.KeyboardModifier.NoModifier, CTRL):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move among the chains, choose some, zoom, and leave; see the guide."""
        event = present(event)
        key, keys = Qt.Key(event.key()), event.modifiers()
        if key in MOVES:
            self._go_to(
                self._layout.neighbour(self._front, *MOVES[key]), extends=bool(keys & SHIFT)
            )
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            last = 0 if key == Qt.Key.Key_Home else self.chains - 1
            self._go_to(last, extends=bool(keys & SHIFT))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        elif key == Qt.Key.Key_Escape:
            self.choose(()) if self._chosen else self.left.emit()
        elif key == Qt.Key.Key_A and keys & CTRL:
            self.choose(range(self.chains))
        elif key == Qt.Key.Key_Space:
            self._press_space(event)
        elif key in DONE and self._chosen and not keys:
            self.asked.emit(DONE[key])
        elif key in ZOOMS:
            self.zoom_by(ZOOMS[key])
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            page = present(self.verticalScrollBar()).pageStep()
            self._scroll_by(0, page if key == Qt.Key.Key_PageUp else -page)
        else:
            super().keyPressEvent(event)

    def _press_space(self, event: QKeyEvent) -> None:
        """Choose the front chain with Ctrl; else wait whether the wall is dragged."""
        if event.modifiers() & CTRL:
            self._anchor = self._front
            self.choose(self._chosen ^ {self._front})
        elif not event.isAutoRepeat():
            self._space, self._space_moved = True, False

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:
        """Run or pause where Space was not held to drag the wall."""
        event = present(event)
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self._space:
            self._space = False
            if not self._space_moved:
                self.toggled.emit()
        else:
            super().keyReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Paint the ring of the focus."""
        super().focusInEvent(event)
        present(self.viewport()).update()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Take the ring of the focus away."""
        super().focusOutEvent(event)
        self._space = False
        present(self.viewport()).update()
