"""What widgets that paint themselves have in common: they are laid out again for another look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent

from ldam_studio.gui.qt import present

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QWidget as Base
else:
    Base = object

LOOKS = (QEvent.Type.PaletteChange, QEvent.Type.FontChange)


class Relaid(Base):
    """Lays a widget out again with another theme or font, or on a display with another scaling.

    It comes before the widget's own class among the bases of a subclass.
    """

    def relayout(self) -> None:
        """Lay out and paint again; a subclass does it."""

    def changeEvent(self, event: QEvent | None) -> None:
        """Lay out again after a change of theme or font."""
        super().changeEvent(event)
        if present(event).type() in LOOKS:
            self.relayout()

    def event(self, event: QEvent | None) -> bool:
        """Lay out again on a display with another scaling."""
        if present(event).type() == QEvent.Type.DevicePixelRatioChange:
            self.relayout()
        return super().event(event)
