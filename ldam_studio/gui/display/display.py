"""The choice of how pixels become colours, in the View menu and in the toolbar."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QWidget

from ldam_studio.engine.settled import CHAINS, SIGN, TIME
from ldam_studio.gui.choice import Choice
from ldam_studio.gui.qt import present
from ldam_studio.gui.quiet_combo import QuietCombo
from ldam_studio.gui.session.model import IMAGE, SIGNED
from ldam_studio.gui.studio import Entry, Feature, Studio

MODES = (("As &Image", IMAGE), ("&Signed", SIGNED))
SETTLED = (
    ("&Off", ""),
    ("Spread Over &Time", TIME),
    ("Spread Between &Chains", CHAINS),
    ("&Fade What Has No Settled Sign", SIGN),
)
NEXT_SETTLED = Entry(
    "settled",
    "Show What Is Settled",
    "U",
    "Show how settled the average's pixels are: over time, between chains, by their sign",
    canvas=True,
    needs_session=True,
)
FIXED_SCALES = (0.25, 0.5, 1.0, 2.0)
SCALES: tuple[tuple[str, float | None], ...] = (
    ("&Each Image Its Own", None),
    *((f"Fixed: &{n}  ±{value:g}", value) for n, value in enumerate(FIXED_SCALES, 1)),
)


class DisplayMenu(Feature):
    """Adds to the View menu how pixels become colours, and how settled the average is.

    The display mode is in the toolbar, too.
    """

    entries = (NEXT_SETTLED,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        root = studio.places.root
        self._mode = Choice(root, MODES, self._set_mode)
        scales = QMenu("S&cale When Signed", root)
        self._scale = Choice(root, SCALES, self._set_scale)
        scales.addActions(self._scale.actions)
        self._box = DisplayBox()
        self._box.chosen.connect(self._set_mode)
        settled = QMenu("How &Settled", root)
        self._settled = Choice(root, SETTLED, self._set_settled)
        settled.addActions(self._settled.actions)
        settled.addSeparator()
        settled.addAction(studio.places.action(NEXT_SETTLED, self._next_settled))
        menus = (scales.menuAction(), settled.menuAction())
        studio.places.add_to_menu("View", *self._mode.actions, *map(present, menus))
        studio.places.end_toolbar(self._box)
        studio.model.display_changed.connect(self._show)
        self._show()

    def _set_mode(self, mode: str) -> None:
        self.studio.controller.set_display(replace(self.studio.model.display, mode=mode))

    def _set_scale(self, scale: float | None) -> None:
        self.studio.controller.set_display(replace(self.studio.model.display, scale=scale))

    def _set_settled(self, by: str) -> None:
        self.studio.controller.set_display(replace(self.studio.model.display, settled=by))

    def _next_settled(self) -> None:
        """Go on to the next way to show how settled pixels are; after the last comes none."""
        ways = [by for _, by in SETTLED]
        now = ways.index(self.studio.model.display.settled)
        self._set_settled(ways[(now + 1) % len(ways)])

    def _show(self) -> None:
        """Tick the current mode and scale."""
        display = self.studio.model.display
        self._mode.show(display.mode)
        self._box.show_mode(display.mode)
        self._scale.show(display.scale)
        self._settled.show(display.settled)
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
