"""Connects the panel with real images to the session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ldam_studio.gui.real_images.beside import TASKS, Beside
from ldam_studio.gui.real_images.panel import RealImagesPanel
from ldam_studio.gui.stragglers import wait_for
from ldam_studio.gui.studio import Entry, Feature, Studio

if TYPE_CHECKING:
    from ldam_studio.gui.session.openings import Opening

NAME = "real_images"  # in `Opening.remembered`
SHOW = Entry(
    "real-images",
    "Real Images",
    tip="Show the real images that excite the neuron most, and where the drawn image lies",
    needs_session=True,
)
INDEX = Entry(
    "index-images",
    "Index Images…",
    tip="Choose real images to show to the network",
    needs_session=True,
)


class RealImages(Feature):
    """Adds the panel with real images below the images."""

    entries = (SHOW, INDEX)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places = studio.places
        self.panel = RealImagesPanel()
        self.beside = Beside(studio, self.panel)
        studio.name_real_images(self.beside.namer)
        show = places.action(SHOW, lambda: places.show_tab(self.panel))
        index = places.action(INDEX, self._ask)
        places.add_to_menu("Explore", show, index)
        studio.controller.opening.connect(self._recall)
        opening = studio.controller.current
        if opening is not None:
            self._recall(opening)
        places.add_tab("Real Images", self.panel)

    def remember(self) -> Mapping[str, Any]:
        """Remember the images that were chosen for each network."""
        return self.beside.chosen.remember()

    def leave(self) -> None:
        """Abandon all work; what was measured is kept."""
        self.beside.leave()

    def close(self) -> None:
        """Wait until the work that was abandoned has ended."""
        for name in TASKS:
            wait_for(name)

    def _ask(self) -> None:
        self.studio.places.show_tab(self.panel)
        self.beside.ask()

    def _recall(self, opening: Opening) -> None:
        self.beside.chosen.recall(opening.remembered.get(NAME, {}))
