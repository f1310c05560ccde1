"""The main settings for a presentation: in one line, or in two where that is too wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QSize
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QGridLayout, QWidget

from ldam_studio.gui.qt import present
from ldam_studio.gui.settings.number_row import NumberRow
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

MAIN = ("temperature", "step_size", "l2", "discriminator_weight")
GAP = 20  # pixels between two sliders


class SliderBar(QWidget):
    """A slider for each of the settings `MAIN`, side by side or two below two."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = {name: NumberRow(SETTINGS[name]) for name in MAIN}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP)
        self._grid.setVerticalSpacing(4)
        self._columns = 0
        self._arrange()

    def show_values(self, values: Mapping[str, object]) -> None:
        """Show values of settings, by name; others than the main ones are left out."""
        for name, row in self.rows.items():
            if name in values:
                row.show_value(values[name])

    def minimumSizeHint(self) -> QSize:
        """Return the width of two columns, so that the bar also fits on a small screen."""
        return QSize(self._width(2), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Use one line if there is room for it."""
        super().resizeEvent(event)
        self._arrange()

    def event(self, event: QEvent | None) -> bool:
        """Arrange the sliders again when one needs another width, as with larger type."""
        if present(event).type() == QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def _width(self, columns: int) -> int:
        """Return the width that the sliders need in so many columns."""
        needed = [row.minimumSizeHint().width() for row in self.rows.values()]
        widest = (max(needed[column::columns]) for column in range(columns))
        return sum(widest) + (columns - 1) * GAP

    def _arrange(self) -> None:
        columns = len(MAIN) if self.width() >= self._width(len(MAIN)) else 2
        if columns == self._columns:
            return
        self._columns = columns
        for at, row in enumerate(self.rows.values()):
            self._grid.addWidget(row, *divmod(at, columns))
        for column in range(len(MAIN)):
            self._grid.setColumnStretch(column, int(column < columns))
