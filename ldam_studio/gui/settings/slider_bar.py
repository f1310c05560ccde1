"""The main settings in one line, for a presentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QHBoxLayout, QWidget

from ldam_studio.gui.settings.number_row import NumberRow
from ldam_studio.sampler.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

MAIN = ("temperature", "step_size", "l2", "discriminator_weight")


class SliderBar(QWidget):
    """A slider for each of the settings `MAIN`, side by side."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = {name: NumberRow(SETTINGS[name]) for name in MAIN}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(20)
        for row in self.rows.values():
            layout.addWidget(row, 1)

    def show_values(self, values: Mapping[str, object]) -> None:
        """Show values of settings, by name; others than the main ones are left out."""
        for name, row in self.rows.items():
            if name in values:
                row.show_value(values[name])
