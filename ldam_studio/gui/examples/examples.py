"""The entries of the File menu for the ten digits and the example sessions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QMenu

from ldam_studio.gui.qt import present
from ldam_studio.gui.session.openings import EXAMPLES, start
from ldam_studio.gui.studio import Entry, Feature, Studio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ldam_studio.engine.compute.device import Device
    from ldam_studio.gui.session.openings import Opening

START = Entry(
    "start", "Start Session", "Ctrl+Home", "Open the ten digits of the first start", first=True
)


class Examples(Feature):
    """Adds the example sessions to the File menu."""

    entries = (START,)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        menu = QMenu("E&xamples", studio.places.root)
        for title, make in EXAMPLES:
            present(menu.addAction(title)).triggered.connect(partial(self._open, make))
        begin = studio.places.action(START, partial(self._open, start))
        studio.places.add_to_menu("File", present(menu.menuAction()), begin)

    def _open(self, make: Callable[[Device, Path | None], Opening], _on: bool = False) -> None:
        self.studio.open(make(self.studio.device, self.studio.data))
