"""Divides the picker's height between the layers and the lists below them."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QAbstractItemView, QSplitter, QWidget

from ldam_studio.gui.picker.layer_list import LayerList
from ldam_studio.gui.picker.tree import LayerTree
from ldam_studio.gui.qt import present


class Division(QSplitter):
    """The layers get half of the height, and more where the neurons leave some.

    Neither gets more than its rows take while the other needs it. Once the user has moved the
    handle, it stays.
    """

    def __init__(self, tree: LayerTree, neurons: LayerList, lower: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._tree, self._neurons, self._lower = tree, neurons, lower
        self._is_own = False
        self.setHandleWidth(6)
        self.setChildrenCollapsible(False)
        self.addWidget(tree)
        self.addWidget(lower)
        self.splitterMoved.connect(self._on_moved)

    def share(self) -> None:
        """Divide the height by what is listed now."""
        whole = sum(self.sizes())
        if self._is_own or not whole:
            return
        header = present(self._tree.header()).sizeHint().height()
        tree = header + rows_height(self._tree, self._tree.rows())
        around = self._lower.minimumSizeHint().height() - self._neurons.minimumHeight()
        lower = around + rows_height(self._neurons, self._neurons.count)
        upper = min(tree, max(whole // 2, whole - lower))
        self.setSizes([upper, whole - upper])

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Divide the new height."""
        super().resizeEvent(event)
        self.share()

    def _on_moved(self) -> None:
        self._is_own = True


def rows_height(view: QAbstractItemView, rows: int) -> int:
    """Return the height of a view with so many rows, frame included."""
    return rows * max(view.sizeHintForRow(0), 1) + 2 * view.frameWidth() + 2
