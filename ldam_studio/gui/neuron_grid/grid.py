"""A grid of neurons: thumbnails that fill their cells, with a caption below each."""

from __future__ import annotations

from PyQt6.QtCore import QAbstractItemModel, QModelIndex, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ldam_studio.gui.neuron_grid.uniform import UniformList
from ldam_studio.gui.qt import present
from ldam_studio.gui.theme import theme

THUMBNAIL = Qt.ItemDataRole.UserRole
"""The role of a neuron's picture, a QImage; None if it is not there."""
STATE = Qt.ItemDataRole.UserRole + 1
"""The role of the word that stands in an empty cell of a neuron that can be opened; None for a
neuron that cannot."""
SIZES = (56, 224)
"""Smallest and largest side of a thumbnail, in logical pixels."""
USUAL = 96
GAP, LINE = 4, 4
MOST_SEARCHED = 10_000
"""Rows of a list in which typed letters lead to a caption; Qt looks at each."""


class Painter(QStyledItemDelegate):
    """Paints one neuron: its thumbnail or an empty cell, and the lines of its caption."""

    def __init__(self) -> None:
        super().__init__()
        self.side, self.lines = USUAL, 1

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:
        """Return the size of every cell."""
        text = QFontMetrics(option.font).height()
        return QSize(self.side + 2 * GAP, self.side + self.lines * text + LINE + 2 * GAP)

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint a cell."""
        painter = present(painter)
        colours = theme.current()
        cell = option.rect.adjusted(GAP, GAP, -GAP, -GAP)
        place = QRect(
            cell.left() + (cell.width() - self.side) // 2, cell.top(), self.side, self.side
        )
        image, word = index.data(THUMBNAIL), index.data(STATE)
        if image is None:
            painter.fillRect(place, colours.colour("surface"))
            painter.setPen(colours.colour("outline"))
            painter.drawRect(place.adjusted(0, 0, -1, -1))
            painter.setPen(colours.colour("muted"))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, word or "")
        else:
            size = image.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
            inner = QRect(0, 0, size.width(), size.height())
            inner.moveCenter(place.center())
            shrinks = size.width() < image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrinks)
            painter.drawImage(inner, image)
            # A white picture would otherwise have no edges on a white sheet, nor a black one on a
            # black sheet.
            painter.setPen(colours.colour("outline"))
            painter.drawRect(inner.adjusted(-1, -1, 0, 0))
        state = option.state
        chosen = bool(state & QStyle.StateFlag.State_HasFocus)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        if word is not None and (chosen or hovered):
            pen = painter.pen()
            pen.setColor(colours.colour("accent"))
            pen.setWidth(2)
            painter.setPen(pen)
            painter.drawRect(place.adjusted(-1, -1, 1, 1))
        text = QRect(
            cell.left(), place.bottom() + LINE, cell.width(), cell.bottom() - place.bottom()
        )
        metrics = QFontMetrics(option.font)
        words = str(index.data(Qt.ItemDataRole.DisplayRole))
        painter.setFont(option.font)
        painter.setPen(colours.colour("muted" if word is None else "text"))
        for line in words.split("\n", self.lines - 1):
            elided = metrics.elidedText(line, Qt.TextElideMode.ElideMiddle, text.width())
            painter.drawText(
                text, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, elided
            )
            text.setTop(text.top() + metrics.height())


class Grid(UniformList):
    """Many neurons; a click or Enter chooses one."""

    chosen = pyqtSignal(QModelIndex)

    def __init__(self, cells: QAbstractItemModel) -> None:
        super().__init__()
        self.setAccessibleName("Neurons")
        self.setModel(cells)
        self._painter = Painter()
        self.setItemDelegate(self._painter)
        self.clicked.connect(self.chosen)
        self._empty = ""
        self._fit_cells()

    def set_empty(self, words: str) -> None:
        """Set the sentence that stands in the middle while there is no neuron."""
        self._empty = words
        present(self.viewport()).update()

    def in_view(self) -> range:
        """Return the rows of the neurons that can be seen, and of some around them."""
        high = self.gridSize().height()
        return self.rows_in(present(self.viewport()).rect().adjusted(0, -high, 0, 2 * high))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the neurons, or why there are none."""
        super().paintEvent(event)
        if self._empty and not self.count:
            painter = QPainter(self.viewport())
            painter.setPen(theme.current().colour("muted"))
            room = present(self.viewport()).rect().adjusted(24, 24, -24, -24)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, flags, self._empty)
            painter.end()

    @property
    def side(self) -> int:
        """The side of a thumbnail, in logical pixels."""
        return self._painter.side

    def set_side(self, side: int) -> None:
        """Show thumbnails of another size; what is at the top stays there."""
        self._painter.side = side
        self._fit_cells()

    def set_lines(self, lines: int) -> None:
        """Show captions of another number of lines; what is at the top stays there."""
        if lines != self._painter.lines:
            self._painter.lines = lines
            self._fit_cells()

    def _fit_cells(self) -> None:
        top = self.indexAt(present(self.viewport()).rect().topLeft() + _INSIDE)
        option = QStyleOptionViewItem()
        option.font = self.font()
        self.setGridSize(self._painter.sizeHint(option, QModelIndex()))
        self.scrollTo(top, QAbstractItemView.ScrollHint.PositionAtTop)

    def keyboardSearch(self, search: str | None) -> None:
        """Go to the caption that begins with typed letters, in a list that is not too long."""
        if self.count <= MOST_SEARCHED:
            super().keyboardSearch(search)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Choose the neuron that has the focus on Enter."""
        if present(event).key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self.chosen.emit(self.currentIndex())
            return
        super().keyPressEvent(event)


_INSIDE = QRect(0, 0, 4 * GAP, 4 * GAP).bottomRight()
