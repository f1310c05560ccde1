"""The grid that contact sheets and atlases have in common."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QAbstractListModel, QPoint, QSize, Qt
from PyQt6.QtGui import QImage, QPainter, QStandardItemModel
from PyQt6.QtWidgets import QApplication, QStyleOptionViewItem

from ldam_studio.gui.neuron_grid.grid import MOST_SEARCHED, THUMBNAIL, Grid, Painter
from ldam_studio.gui.neuron_grid.uniform import SLICE
from ldam_studio.gui.theme import theme


def test_a_picture_of_the_colour_of_the_sheet_has_edges(qtbot):
    sheet, white = theme.current().colour("surface"), QImage(4, 4, QImage.Format.Format_RGB32)
    white.fill(sheet)
    cells = QStandardItemModel(1, 1)
    cells.setData(cells.index(0, 0), white, THUMBNAIL)
    canvas = QImage(120, 140, QImage.Format.Format_RGB32)
    canvas.fill(sheet)
    option = QStyleOptionViewItem()
    option.rect = canvas.rect()
    painter = QPainter(canvas)
    Painter().paint(painter, option, cells.index(0, 0))
    painter.end()
    row = [canvas.pixelColor(x, 40) for x in range(120)]
    assert [x for x, colour in enumerate(row) if colour != sheet] == [11, 108]


class Long(QAbstractListModel):
    """A list of numbers, which counts how often it is asked how long it is."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length, self.asked = length, 0

    def rowCount(self, _parent=None) -> int:
        self.asked += 1
        return self.length

    def data(self, index, role=Qt.ItemDataRole.DisplayRole):
        return str(index.row()) if role == Qt.ItemDataRole.DisplayRole else None


@pytest.fixture
def grid(qtbot):
    """Give a grid of 23 neurons: 5 beside each other, 2 lines in view."""
    model = Long(23)
    grid = Grid(model)
    qtbot.addWidget(grid)
    cell = grid.gridSize()
    grid.resize(QSize(5 * cell.width() + 40, 2 * cell.height() + 10))
    grid.show()
    grid.settle()
    assert grid.columns == 5
    return grid


def test_a_place_is_that_of_a_neuron_and_back(grid):
    model = grid.model()
    for row in range(23):
        rect = grid.visualRect(model.index(row, 0))
        assert grid.indexAt(rect.center()).row() == row
    assert not grid.indexAt(grid.visualRect(model.index(22, 0)).center() + QPoint(110, 0)).isValid()
    assert not grid.indexAt(QPoint(5, -5)).isValid()
    grid.scrollTo(model.index(22, 0))
    bar = grid.verticalScrollBar()
    assert bar.value() == bar.maximum()
    assert grid.visualRect(model.index(22, 0)).bottom() < grid.viewport().height()
    grid.scrollTo(model.index(7, 0), Grid.ScrollHint.PositionAtTop)
    assert grid.visualRect(model.index(7, 0)).top() == 0
    assert grid.in_view() == range(0, 23)


def test_all_neurons_that_fit_need_no_scroll_bar(grid):
    grid.resize(grid.width(), 5 * grid.gridSize().height() + 10)
    assert grid.verticalScrollBar().maximum() == 0


def test_keys_lead_to_neighbours_and_never_outside(grid, qtbot):
    grid.setCurrentIndex(grid.model().index(0, 0))

    def after(*keys) -> int:
        for key in keys:
            qtbot.keyClick(grid, key)
        return grid.currentIndex().row()

    key = Qt.Key
    assert after(key.Key_Left) == 0
    assert after(key.Key_Up) == 0
    assert after(key.Key_Right, key.Key_Right, key.Key_Right) == 3
    assert after(key.Key_Down) == 8
    assert after(key.Key_PageDown) == 18
    assert after(key.Key_Down) == 22  # the last line is shorter
    assert after(key.Key_Down) == 22
    assert after(key.Key_PageUp) == 12
    assert after(key.Key_PageUp, key.Key_PageUp) == 2
    assert after(key.Key_End) == 22
    assert after(key.Key_Home) == 0


def test_typed_digits_lead_to_a_caption(grid, qtbot):
    interval = QApplication.keyboardInputInterval()
    QApplication.setKeyboardInputInterval(60_000)  # for a machine that is busy
    qtbot.keyClicks(grid, "12")
    QApplication.setKeyboardInputInterval(interval)
    assert grid.currentIndex().row() == 12


def test_no_change_of_a_long_list_takes_the_time_of_all_its_rows(grid):
    long = Long(200_000)
    grid.setModel(long)
    long.asked = 0
    grid.set_lines(2)
    grid.settle()
    grid.scrollTo(long.index(150_000))
    long.length += 1
    long.layoutChanged.emit()
    grid.settle()
    grid.viewport().repaint()
    grid.keyboardSearch("1")
    assert grid.indexAt(grid.visualRect(long.index(150_000)).center()).row() == 150_000
    assert long.asked < 3 * SLICE + 1000 < MOST_SEARCHED


def test_captions_have_lines_of_their_own(grid):
    one = grid.gridSize().height()
    grid.set_lines(2)
    assert grid.gridSize().height() == one + grid.fontMetrics().height()
