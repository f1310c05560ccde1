"""The grid that contact sheets and atlases have in common."""

from __future__ import annotations

from PyQt6.QtGui import QImage, QPainter, QStandardItemModel
from PyQt6.QtWidgets import QStyleOptionViewItem

from ldam_studio.gui.neuron_grid.grid import THUMBNAIL, Painter
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
