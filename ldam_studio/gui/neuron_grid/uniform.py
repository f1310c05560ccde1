"""A list of cells that all have one size, so that places are computed and not kept."""

from __future__ import annotations

from PyQt6.QtCore import QItemSelectionModel, QModelIndex, QPoint, QRect, Qt
from PyQt6.QtGui import QCursor, QPainter, QPaintEvent, QRegion, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QAbstractScrollArea,
    QListView,
    QStyle,
    QStyleOptionViewItem,
)

from ldam_studio.gui.qt import present

SLICE = 2000  # rows, some milliseconds
Action = QAbstractItemView.CursorAction
Hint = QAbstractItemView.ScrollHint


class UniformList(QListView):
    """Shows rows from left to right and from top to bottom, in cells of `gridSize()`.

    QListView itself gives every row a place after each change, which takes it more than a tenth of
    a second for 200,000 rows. It does so in slices here, and nobody waits for them, since nothing
    is asked of those places. Nothing can be selected.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(SLICE)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @property
    def count(self) -> int:
        """The number of rows."""
        model = self.model()
        return 0 if model is None else model.rowCount()

    @property
    def columns(self) -> int:
        """The number of cells beside each other."""
        return self._columns_of(present(self.viewport()).width())

    def settle(self) -> None:
        """Adapt the scroll bar to the rows now, so that its range is right."""
        self.executeDelayedItemsLayout()

    def rows_in(self, area: QRect) -> range:
        """Return the rows that an area of the viewport shows, and their neighbours on each line."""
        high, columns, top = self.gridSize().height(), self.columns, area.top()
        first = (top + self.verticalOffset()) // high
        last = (area.bottom() + self.verticalOffset()) // high
        return range(max(0, first * columns), min(self.count, (last + 1) * columns))

    def _columns_of(self, width: int) -> int:
        return max(1, width // max(1, self.gridSize().width()))

    def _height_of(self, width: int) -> int:
        lines = -(-self.count // self._columns_of(width))
        return lines * self.gridSize().height()

    # Qt's interface: places

    def visualRect(self, index: QModelIndex) -> QRect:
        """Return the cell of a row, in the viewport."""
        if not index.isValid():
            return QRect()
        line, column = divmod(index.row(), self.columns)
        cell = self.gridSize()
        corner = QPoint(column * cell.width(), line * cell.height() - self.verticalOffset())
        return QRect(corner, cell)

    def indexAt(self, point: QPoint) -> QModelIndex:
        """Return the row at a place of the viewport; an invalid one if there is none."""
        cell, columns = self.gridSize(), self.columns
        column = point.x() // cell.width()
        line = (point.y() + self.verticalOffset()) // cell.height()
        row = line * columns + column
        if 0 <= column < columns and 0 <= line and row < self.count:
            return present(self.model()).index(row, 0)
        return QModelIndex()

    def verticalOffset(self) -> int:
        """Return how far the list is scrolled, in logical pixels."""
        return present(self.verticalScrollBar()).value()

    def scrollTo(self, index: QModelIndex, hint: Hint = Hint.EnsureVisible) -> None:
        """Scroll until a row can be seen."""
        if not index.isValid():
            return
        self.settle()
        rect, room = self.visualRect(index), present(self.viewport()).height()
        above, below = rect.top(), rect.bottom() + 1 - room
        by = {
            Hint.EnsureVisible: min(above, 0) or max(0, min(below, above)),
            Hint.PositionAtTop: above,
            Hint.PositionAtBottom: below,
            Hint.PositionAtCenter: (above + below) // 2,
        }[hint]
        present(self.verticalScrollBar()).setValue(self.verticalOffset() + by)

    def updateGeometries(self) -> None:
        """Adapt the scroll bar to the rows."""
        QAbstractItemView.updateGeometries(self)
        whole, viewport = self.maximumViewportSize(), present(self.viewport())
        bar = present(self.verticalScrollBar())
        bar.setSingleStep(self.gridSize().height())
        bar.setPageStep(viewport.height())
        fits = self._height_of(whole.width()) <= whole.height()  # without the bar
        high = self._height_of(viewport.width())
        bar.setRange(0, 0 if fits else max(0, high - viewport.height()))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Adapt the scroll bar to the rows at once."""
        QAbstractItemView.resizeEvent(self, event)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Paint the rows that can be seen now."""
        QAbstractScrollArea.scrollContentsBy(self, dx, dy)

    # Qt's interface: keys, selection and painting

    def moveCursor(self, action: Action, _modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Return the row to which a key leads; one that leads nowhere stays."""
        count, columns, model = self.count, self.columns, present(self.model())
        if not count:
            return QModelIndex()
        row = self.currentIndex().row()
        if row < 0 or action is Action.MoveHome:
            return model.index(0, 0)
        if action is Action.MoveEnd:
            return model.index(count - 1, 0)
        lines = max(1, present(self.viewport()).height() // self.gridSize().height())
        to = (
            row
            + {
                Action.MoveLeft: -1,
                Action.MovePrevious: -1,
                Action.MoveRight: 1,
                Action.MoveNext: 1,
                Action.MoveUp: -columns,
                Action.MoveDown: columns,
                Action.MovePageUp: -lines * columns,
                Action.MovePageDown: lines * columns,
            }[action]
        )
        if to < 0:
            to = row % columns if action is Action.MovePageUp else row
        elif to >= count:
            # The last line may be shorter.
            to = row if row // columns == (count - 1) // columns else count - 1
        return model.index(to, 0)

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """Select nothing."""

    def visualRegionForSelection(self, selection: object) -> QRegion:
        """Return no region."""
        return QRegion()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the cells that can be seen."""
        viewport, model = present(self.viewport()), present(self.model())
        delegate, current = present(self.itemDelegate()), self.currentIndex()
        under = QModelIndex()
        if viewport.underMouse():
            under = self.indexAt(viewport.mapFromGlobal(QCursor.pos()))
        painter = QPainter(viewport)
        for row in self.rows_in(present(event).rect()):
            index = model.index(row, 0)
            option = QStyleOptionViewItem()
            self.initViewItemOption(option)
            option.rect = self.visualRect(index)
            option.state &= ~(QStyle.StateFlag.State_HasFocus | QStyle.StateFlag.State_MouseOver)
            if index == current and self.hasFocus():
                option.state |= QStyle.StateFlag.State_HasFocus
            if index == under:
                option.state |= QStyle.StateFlag.State_MouseOver
            delegate.paint(painter, option, index)
        painter.end()
