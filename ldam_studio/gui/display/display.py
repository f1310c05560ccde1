"""The choice of how pixels become colours, in the View menu and in the toolbar."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QWidget

from ldam_studio.gui.choice import Choice
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.session.model import IMAGE, SIGNED, Display
from ldam_studio.gui.studio import Feature, Studio

MODES = (("As &Image", IMAGE), ("&Signed", SIGNED))
FIXED_SCALES = (0.25, 0.5, 1.0, 2.0)
SCALES: tuple[tuple[str, float | None], ...] = (
    ("&Each Image Its Own", None),
    *((f"Fixed: &{n}  ±{value:g}", value) for n, value in enumerate(FIXED_SCALES, 1)),
)


class DisplayMenu(Feature):
    """Adds the display mode, and the scale of signed pixels, to the View menu and the toolbar."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        root = studio.places.root
        self._mode = Choice(root, MODES, self._set_mode)
        scales = QMenu("S&cale When Signed", root)
        self._scale = Choice(root, SCALES, self._set_scale)
        scales.addActions(self._scale.actions)
        self._box = DisplayBox()
        self._box.chosen.connect(self._set_mode)
        studio.places.add_to_menu("View", *self._mode.actions, present(scales.menuAction()))
        studio.places.end_toolbar(self._box)
        studio.model.display_changed.connect(self._show)
        self._show()

    def _set_mode(self, mode: str) -> None:
        self.studio.controller.set_display(Display(mode, self.studio.model.display.scale))

    def _set_scale(self, scale: float | None) -> None:
        self.studio.controller.set_display(Display(self.studio.model.display.mode, scale))

    def _show(self) -> None:
        """Tick the current mode and scale."""
        display = self.studio.model.display
        self._mode.show(display.mode)
        self._box.show_mode(display.mode)
        self._scale.show(display.scale)
        self._scale.enable(display.mode == SIGNED)


class DisplayBox(QWidget):
    """The list in the toolbar with the display modes."""

    chosen = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__()
        self.combo = QuietCombo()
        for text, mode in MODES:
            self.combo.addItem(text.replace("&", ""), mode)
        self.combo.setAccessibleName("Display")
        self.combo.setToolTip(
            "As image: black and white are the ends of the valid range. Signed: mid-grey is the "
            "rest colour; larger values are lighter and smaller values are darker."
        )
        self.combo.activated.connect(lambda index: self.chosen.emit(self.combo.itemData(index)))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 6, 0)
        row.addStretch(1)
        row.addWidget(self.combo)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_mode(self, mode: str) -> None:
        """Show "image" or "signed"."""
        self.combo.setCurrentIndex(self.combo.findData(mode))
