"""The neuron picker's tree of layers, whose columns stay where they are while it is searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent
from PyQt6.QtGui import QFont, QFontMetrics, QResizeEvent
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView

from ldam_studio.gui.picker.models import COLUMNS, SEES, SHAPE, TYPE, LayerModel

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME_CHARACTERS = 13  # of a layer's name that are always to be read
BESIDE = 16  # pixels around a cell's text
FIRST_TO_STAY = (SEES, SHAPE, TYPE)
LONGEST_TYPE = 16  # characters; more of a class's name is in the tool tip


class LayerTree(QTreeView):
    """A tree whose names keep their room: in a narrow panel the type goes, then the shape.

    How wide a column is depends on the network alone, and which there are on the panel's width:
    neither moves while a person searches or unfolds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Layers")
        self.setUniformRowHeights(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setIndentation(14)
        self.setMinimumHeight(80)
        self.setToolTip("Enter or double click spreads the chains over the layer")
        self._texts: tuple[tuple[str, ...], ...] = ((),) * len(COLUMNS)
        self._widths = [0] * len(COLUMNS)

    def measure(self, model: LayerModel) -> None:
        """Make room for what a network's layers have to say."""
        self._texts = tuple(_different(model.texts(column)) for column in range(len(COLUMNS)))
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, len(COLUMNS)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        self._fit()

    def _fit(self) -> None:
        """Give the columns their widths, and hide those for which there is no room."""
        if self.model() is None:
            return
        bold = QFont(self.font())  # as the layer in front is written
        bold.setBold(True)
        metrics, header = QFontMetrics(bold), self.header()
        left = self.viewport().width() - metrics.averageCharWidth() * NAME_CHARACTERS
        for column in FIRST_TO_STAY:
            texts = (COLUMNS[column], *(text[:LONGEST_TYPE] for text in self._texts[column]))
            wide = max(map(metrics.horizontalAdvance, texts)) + BESIDE
            left -= wide
            self.setColumnHidden(column, left < 0)
            if header.sectionSize(column) != wide:
                header.resizeSection(column, wide)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns to the new width."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Fit the columns to a new size of type."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()


def _different(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
