"""A row of cards, one for each mode: its picture, and a few lines beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QPoint, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QContextMenuEvent,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.theme.paint import Pencil, qimage
from ldam_studio.gui.tips import as_tip

LEAST, MOST = 48, 220  # side of a picture, in logical pixels
GAP, INSET = 8, 5
SMALL = 0.85  # size of small letters
WORDS = 18  # letters of a line beside the picture
REAL, NEAREST = 0.6, "nearest real"
"""Side of the nearest real image, as a share of the picture's, and what is written below it."""


@dataclass(frozen=True)
class Card:
    """What a card shows: the mode's number, its lines, its tool tip, and its picture in colours.

    `real` is the real image nearest to it, if one is known.
    """

    number: int
    lines: tuple[str, ...]
    tip: str
    picture: NDArray[np.uint8] | None
    real: NDArray[np.uint8] | None = None


class Cards(QWidget):
    """Paints the cards; one of them may be chosen with a click or the arrow keys."""

    chosen = pyqtSignal(int)  # the number of a mode; 0 for none
    menu = pyqtSignal(int, QPoint)  # the number of a mode, and where on the screen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Modes")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._cards: tuple[Card, ...] = ()
        self._images: dict[int, QImage] = {}
        self._chosen = 0

    def show_cards(self, cards: tuple[Card, ...]) -> None:
        """Show other cards; the chosen one stays chosen if it is among them."""
        before = {card.number: card.picture for card in self._cards}
        for card in cards:
            if card.picture is None:
                self._images.pop(card.number, None)
            elif card.picture is not before.get(card.number):
                self._images[card.number] = qimage(card.picture)
        self._cards = cards
        numbers = {card.number for card in cards}
        self._images = {n: image for n, image in self._images.items() if n in numbers}
        if self._chosen not in numbers:
            self.choose(0)
        self.updateGeometry()
        self._fit()
        self.update()
        self._describe()

    @property
    def cards(self) -> tuple[Card, ...]:
        """The cards that are shown."""
        return self._cards

    @property
    def number(self) -> int:
        """The number of the chosen mode; 0 if none is."""
        return self._chosen

    def choose(self, number: int) -> None:
        """Choose a mode by its number; 0 chooses none."""
        if number != self._chosen:
            self._chosen = number
            self.update()
            self._describe()
            self.chosen.emit(number)

    def rect_of(self, number: int) -> QRect:
        """Return where the card of a mode is, in logical pixels."""
        at = next((i for i, card in enumerate(self._cards) if card.number == number), None)
        return QRect() if at is None else self._rect(at)

    def sizeHint(self) -> QSize:
        """Return the size of all cards at the present height."""
        count = len(self._cards)
        return QSize(count * (self._width() + GAP), LEAST + 2 * INSET)

    def minimumSizeHint(self) -> QSize:
        """Return a size at which pictures can still be recognised."""
        return QSize(self.sizeHint().width(), LEAST + 2 * INSET)

    def _fit(self) -> None:
        self.setFixedWidth(max(1, self.sizeHint().width()))

    def _side(self) -> int:
        return max(LEAST, min(MOST, self.height() - 2 * INSET))

    def _width(self) -> int:
        words = QFontMetricsF(self.font()).averageCharWidth() * WORDS
        real = self._real_side() + INSET if self._shows_real else 0
        return round(self._side() + words + 3 * INSET + real)

    @property
    def _shows_real(self) -> bool:
        return any(card.real is not None for card in self._cards)

    def _real_side(self) -> float:
        line = QFontMetricsF(self.font())
        return max(REAL * self._side(), line.horizontalAdvance(NEAREST) * SMALL + 2)

    def _rect(self, at: int) -> QRect:
        width = self._width()
        return QRect(at * (width + GAP), 0, width, self._side() + 2 * INSET)

    def _at(self, where: QPoint) -> int:
        for at, card in enumerate(self._cards):
            if self._rect(at).contains(where):
                return card.number
        return 0

    def _describe(self) -> None:
        shown = next((card for card in self._cards if card.number == self._chosen), None)
        count = len(self._cards)
        said = f"{count} modes" if shown is None else ", ".join(shown.lines)
        self.setAccessibleDescription(said)

    # Events

    def resizeEvent(self, event: object) -> None:
        """Make the pictures as high as there is room."""
        self._fit()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint pictures and lines."""
        pencil = Pencil(self)
        for at, card in enumerate(self._cards):
            self._paint(pencil, self._rect(at), card)
        pencil.painter.end()

    def _paint(self, pencil: Pencil, part: QRect, card: Card) -> None:
        ratio, chosen = pencil.ratio, card.number == self._chosen
        box = QRect(*(round(v * ratio) for v in (part.x(), part.y(), part.width(), part.height())))
        pencil.fill(box, "raised" if chosen else "surface")
        pencil.outline(box, "accent" if chosen else "outline", 2 if chosen else 1)
        inset, side = round(INSET * ratio), round(self._side() * ratio)
        room = QRect(box.x() + inset, box.y() + inset, side, side)
        image = self._images.get(card.number)
        if image is None:
            pencil.outline(room, "outline")
        else:
            _paint_image(pencil, room, image)
        left = room.right() + 1 + inset
        line = round(QFontMetricsF(self.font()).height() * ratio)
        end = box.right() - inset
        if card.real is not None:
            width = round(self._real_side() * ratio)
            high = min(width, side - line)
            end -= width + inset
            _paint_image(pencil, QRect(end + inset, room.y(), width, high), qimage(card.real))
            below = QRect(end + inset, room.y() + high, width, line)
            pencil.text(below, NEAREST, "muted", font=pencil.font(size=SMALL))
        step = min(line + round(3 * ratio), side // len(card.lines))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for row, text in enumerate(card.lines):
            where = QRect(left, room.y() + row * step, end - left, line)
            font = pencil.font(bold=True) if row == 0 else pencil.font(size=0.94)
            pencil.text(where, text, "muted" if row else "text", flags=flags, font=font)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose the card under the pointer, or none."""
        self.choose(self._at(present(event).pos()))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Choose the next or the previous card, or none."""
        event = present(event)
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
        numbers = [card.number for card in self._cards]
        if event.key() == Qt.Key.Key_Escape and self._chosen:
            self.choose(0)
        elif event.key() in steps and numbers:
            by = steps[Qt.Key(event.key())]
            at = numbers.index(self._chosen) + by if self._chosen in numbers else min(by, 0)
            self.choose(numbers[at % len(numbers)])
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        """Choose the card under the pointer, and ask for its menu."""
        event = present(event)
        number = self._at(event.pos()) or self._chosen
        self.choose(number)
        if number:
            self.menu.emit(number, event.globalPos())

    def event(self, event: QEvent | None) -> bool:
        """Show the tool tip of the card under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            number = self._at(event.pos())
            tip = next((card.tip for card in self._cards if card.number == number), "")
            QToolTip.showText(event.globalPos(), as_tip(tip), self)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent | None) -> None:
        """Paint again after a change of theme or font."""
        super().changeEvent(event)
        if present(event).type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._fit()
            self.update()


def _paint_image(pencil: Pencil, room: QRect, image: QImage) -> None:
    """Paint an image in the middle of a room; enlarged pixels stay squares."""
    side = max(image.width(), image.height())
    smooth = QPainter.RenderHint.SmoothPixmapTransform
    pencil.painter.setRenderHint(smooth, side > min(room.width(), room.height()))
    place = QRect(
        room.topLeft(), image.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
    )
    place.moveCenter(room.center())
    pencil.painter.drawImage(place, image)
