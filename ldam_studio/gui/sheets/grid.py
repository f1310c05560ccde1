"""The grid of a contact sheet: thumbnails that fill their cells, with a caption below each."""

from __future__ import annotations

from PyQt6.QtCore import QModelIndex, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QFontMetrics, QKeyEvent, QPainter
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from ldam_studio.gui.qt import present
from ldam_studio.gui.sheets.cells import THUMBNAIL, Cells
from ldam_studio.gui.theme import theme

SIZES = (56, 224)
"""Smallest and largest side of a thumbnail, in logical pixels."""
USUAL = 96
GAP, LINE = 4, 4


class Painter(QStyledItemDelegate):
    """Paints one neuron: its thumbnail or an empty cell, and its caption."""

    def __init__(self) -> None:
        super().__init__()
        self.side = USUAL

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:
        """Return the size of every cell."""
        text = QFontMetrics(option.font).height()
        return QSize(self.side + 2 * GAP, self.side + text + LINE + 2 * GAP)

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
        found = index.data(THUMBNAIL)
        if found is None:
            painter.fillRect(place, colours.colour("surface"))
            painter.setPen(colours.colour("outline"))
            painter.drawRect(place.adjusted(0, 0, -1, -1))
        else:
            image = found.image
            size = image.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
            inner = QRect(0, 0, size.width(), size.height())
            inner.moveCenter(place.center())
            shrinks = size.width() < image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrinks)
            painter.drawImage(inner, image)
        state = option.state
        chosen = bool(state & QStyle.StateFlag.State_HasFocus)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        if found is not None and (chosen or hovered):
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
        painter.setPen(colours.colour("muted" if found is None else "text"))
        elided = metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, elided)


class Grid(QListView):
    """All neurons of a sheet; a click or Enter chooses one."""

    chosen = pyqtSignal(QModelIndex)

    def __init__(self, cells: Cells) -> None:
        super().__init__()
        self.setAccessibleName("Neurons of the contact sheet")
        self.setModel(cells)
        self._painter = Painter()
        self.setItemDelegate(self._painter)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self.chosen)
        self.set_side(USUAL)

    @property
    def side(self) -> int:
        """The side of a thumbnail, in logical pixels."""
        return self._painter.side

    def set_side(self, side: int) -> None:
        """Show thumbnails of another size; what is at the top stays there."""
        top = self.indexAt(present(self.viewport()).rect().topLeft() + _INSIDE)
        self._painter.side = side
        option = QStyleOptionViewItem()
        option.font = self.font()
        self.setGridSize(self._painter.sizeHint(option, QModelIndex()))
        if top.isValid():
            self.scrollTo(top, QAbstractItemView.ScrollHint.PositionAtTop)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Choose the neuron that has the focus on Enter."""
        if present(event).key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.currentIndex().isValid():
                self.chosen.emit(self.currentIndex())
            return
        super().keyPressEvent(event)


_INSIDE = QRect(0, 0, 4 * GAP, 4 * GAP).bottomRight()
