"""Paints a pin: its picture, and beside it neuron, step, star and note."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QModelIndex, QRect, QSize, Qt
from PyQt6.QtGui import QFont, QFontMetrics, QPainter, QTextLayout, QTextOption
from PyQt6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ldam_studio.export.filmstrip.pins import MOST_NOTE, Pin
from ldam_studio.gui.filmstrip import words
from ldam_studio.gui.filmstrip.model import GOING_BACK, IMAGE, PIN
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import icons, theme

INSET, GAP = 6, 8
LEAST, MOST = 40, 200  # side of a picture, in logical pixels
WORDS = 20  # letters of a line beside the picture
WIDEST = 3  # how many times as wide as high the room for a picture is, at most
ADD_NOTE = "Add a note (F2)"


@dataclass(frozen=True)
class Parts:
    """Where the parts of a card are."""

    card: QRect
    picture: QRect
    neuron: QRect
    step: QRect
    star: QRect
    note: QRect


def parts_of(rect: QRect, metrics: QFontMetrics, aspect: float) -> Parts:
    """Return where the parts of a card are; `aspect` is the picture's width by its height."""
    card = rect.adjusted(0, 0, -GAP, 0)
    side = card.height() - 2 * INSET
    picture = QRect(card.left() + INSET, card.top() + INSET, round(side * aspect), side)
    left, line = picture.right() + 1 + GAP, metrics.height()
    width = card.right() - INSET - left
    star = QRect(card.right() - INSET - line, picture.top(), line, line)
    neuron = QRect(left, picture.top(), width - line - INSET, line)
    step = neuron.translated(0, line + 1)
    top = step.bottom() + 4
    note = QRect(left, top, width, max(line, picture.bottom() + 1 - top))
    return Parts(card, picture, neuron, step, star, note)


class CardPainter(QStyledItemDelegate):
    """Paints pins, and edits their notes in place."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the size of a card: as high as the list, as wide as picture and words need."""
        high = self._height(option)
        picture = round((high - 2 * INSET) * _aspect(index))
        text = option.fontMetrics.averageCharWidth() * WORDS
        return QSize(picture + text + 2 * INSET + 2 * GAP, high)

    def _height(self, option: QStyleOptionViewItem) -> int:
        widget = option.widget
        room = LEAST if widget is None else widget.contentsRect().height()
        # Qt would otherwise show a vertical scroll bar now and then.
        bar = (
            0
            if widget is None
            else present(widget.style()).pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        )
        return max(LEAST, min(MOST, room - bar - 2))

    def place(self, option: QStyleOptionViewItem, index: QModelIndex) -> Parts:
        """Return where the parts of a pin are."""
        return parts_of(option.rect, option.fontMetrics, _aspect(index))

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint one pin."""
        painter, colours = present(painter), theme.current()
        pin: Pin = index.data(PIN)
        parts = self.place(option, index)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.fillRect(parts.card, colours.colour("raised" if chosen else "surface"))
        painter.setPen(colours.colour("accent" if chosen or hovered else "outline"))
        painter.drawRect(parts.card.adjusted(0, 0, -1, -1))
        if chosen:
            painter.drawRect(parts.card.adjusted(1, 1, -2, -2))
        self._paint_picture(painter, parts.picture, index)
        bold = QFont(option.font)
        bold.setBold(True)
        _line(painter, parts.neuron, pin.neuron, bold, "text")
        going = index.data(GOING_BACK)
        step = words.GOING_BACK if going else words.step(pin)
        _line(painter, parts.step, step, option.font, "accent" if going else "muted")
        star = icons.icon("starred" if pin.star else "star")
        if pin.star or chosen or hovered:
            star.paint(painter, parts.star)
        if pin.note:
            _paragraph(painter, parts.note, pin.note, option.font, "text")
        elif chosen or hovered:
            _line(painter, parts.note, ADD_NOTE, option.font, "muted")
        painter.restore()

    def _paint_picture(self, painter: QPainter, room: QRect, index: QModelIndex) -> None:
        image = index.data(IMAGE)
        size = image.size().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(room.topLeft(), size)
        place.moveCenter(room.center())
        ratio = painter.device().devicePixelRatioF()  # type: ignore[union-attr]
        shrinks = size.width() * ratio < image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrinks)
        painter.drawImage(place, image)

    # Notes

    def createEditor(
        self, parent: QWidget | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> QWidget:
        """Make the field in which a note is written."""
        field = QLineEdit(parent)
        field.setMaxLength(MOST_NOTE)
        field.setAccessibleName("Note")
        field.setPlaceholderText("Note")
        return field

    def updateEditorGeometry(
        self, editor: QWidget | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Put the field where the note is, over the whole width of the card."""
        editor, parts = present(editor), self.place(option, index)
        high = editor.sizeHint().height()
        bottom = min(parts.note.top() + high, option.rect.bottom() + 1)
        editor.setGeometry(parts.card.left(), bottom - high, parts.card.width(), high)


def _aspect(index: QModelIndex) -> float:
    image = index.data(IMAGE)
    if image is None or image.height() == 0:
        return 1.0
    return float(min(max(image.width() / image.height(), 0.5), WIDEST))


def _line(painter: QPainter, part: QRect, text: str, font: QFont, token: str) -> None:
    painter.setFont(font)
    painter.setPen(theme.current().colour(token))
    elided = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, part.width())
    painter.drawText(part, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, elided)


def _paragraph(painter: QPainter, part: QRect, text: str, font: QFont, token: str) -> None:
    """Paint text on as many lines as there is room for, the last one elided."""
    metrics = QFontMetrics(font)
    room = max(1, part.height() // metrics.height())
    layout = QTextLayout(text, font)
    layout.setTextOption(QTextOption(Qt.AlignmentFlag.AlignLeft))
    layout.beginLayout()
    starts = []
    for _ in range(room):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(part.width())
        starts.append((line.textStart(), line.textLength()))
    layout.endLayout()
    for number, (start, length) in enumerate(starts):
        last = number == room - 1
        words_of_line = text[start:] if last else text[start : start + length]
        row = QRect(
            part.left(), part.top() + number * metrics.height(), part.width(), metrics.height()
        )
        _line(painter, row, words_of_line, font, token)
