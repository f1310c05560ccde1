"""Connects the panel with real images to the session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ldam_studio.gui.later import Later
from ldam_studio.gui.qt import present
from ldam_studio.gui.studio import Entry, Feature, Studio

if TYPE_CHECKING:
    from ldam_studio.gui.real_images.beside import Beside
    from ldam_studio.gui.real_images.panel import RealImagesPanel
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
    """Adds the panel with real images below the images; it is made when it is first shown."""

    entries = (SHOW, INDEX)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        places = studio.places
        self._beside: Beside | None = None
        self._remembered: dict[str, Any] = {}
        self._tab = Later(self._made)
        studio.name_real_images(lambda: self.beside.namer())
        show = places.action(SHOW, lambda: places.show_tab(self._tab))
        index = places.action(INDEX, self._ask)
        places.add_to_menu("Explore", show, index)
        studio.controller.opening.connect(self._recall)
        opening = studio.controller.current
        if opening is not None:
            self._recall(opening)
        places.add_tab("Real Images", self._tab)

    @property
    def panel(self) -> RealImagesPanel:
        """The panel."""
        return self._tab.content

    @property
    def beside(self) -> Beside:
        """What connects the panel to the neuron in front."""
        assert self.panel is not None
        return present(self._beside)

    def _made(self) -> RealImagesPanel:
        from ldam_studio.gui.real_images.beside import Beside
        from ldam_studio.gui.real_images.chosen import Chosen
        from ldam_studio.gui.real_images.panel import RealImagesPanel

        panel, chosen = RealImagesPanel(), Chosen()
        chosen.recall(self._remembered)
        self._beside = Beside(self.studio, panel, chosen)
        return panel

    def remember(self) -> Mapping[str, Any]:
        """Remember the images that were chosen for each network."""
        if self._beside is None:
            return self._remembered
        return self._beside.showing.chosen.remember()

    def leave(self) -> None:
        """Abandon all work; what was measured is kept."""
        if self._beside is not None:
            self._beside.leave()

    def close(self) -> None:
        """Wait until the work that was abandoned has ended."""
        if self._beside is not None:
            self._beside.wait()

    def _ask(self) -> None:
        self.studio.places.show_tab(self._tab)
        self.beside.ask()

    def _recall(self, opening: Opening) -> None:
        remembered = opening.remembered.get(NAME, {})
        if self._beside is None:
            self._remembered = {**remembered, **self._remembered}
        else:
            self._beside.showing.chosen.recall(remembered)
