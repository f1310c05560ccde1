"""The features of the window, in the order of menus, toolbar and list of keys."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from ldam_studio.gui.studio import Feature


@dataclass(frozen=True)
class Row:
    """One feature.

    Parameters
    ----------
    name
        Key under which the values that it remembers are saved, see `Feature.remember`.
    factory
        ``module:Class``, relative to `ldam_studio.gui`; imported when the feature is made.
    panel
        Whether it adds a panel beside the images. Such a feature is made once the window is on the
        screen, so that it does not delay the first frame.
    """

    name: str
    factory: str
    panel: bool = False

    def load(self) -> type[Feature]:
        """Import and return the feature's class; it is called with the port, a `Studio`."""
        module, _, name = self.factory.partition(":")
        found = getattr(import_module(f"ldam_studio.gui.{module}"), name)
        assert issubclass(found, Feature)
        return cast("type[Feature]", found)


FEATURES = (
    Row("running", "running.running:Running"),
    Row("opening", "opening.files:Files"),
    Row("saving", "saving.feature:Saving"),
    Row("recent", "recent_sessions.feature:RecentSessions"),
    Row("examples", "examples.examples:Examples"),
    Row("watching", "watch.watching:Watching"),
    Row("exporting", "exporting.exporting:Exporting"),
    Row("sharing", "exporting.sharing:Sharing"),
    Row("settings", "settings.feature:SettingsPanel", panel=True),
    Row("learner", "learner.feature:Learner", panel=True),
    Row("picking", "picker.feature:Picking", panel=True),
    Row("filters", "filters.feature:Filtering", panel=True),
    Row("traces", "traces.feature:Tracing", panel=True),
    Row("filmstrip", "filmstrip.feature:FilmstripTab", panel=True),
    Row("recorder", "recorder.feature:Recordings"),
    Row("wall", "wall.feature:ChainWall"),
    Row("sheets", "sheets.feature:Sheets"),
    Row("atlases", "atlas.feature:Atlases"),
    Row("atlas_drawing", "atlas.drawing:AtlasDrawing"),
    Row("agreement", "agreement.feature:Agreement", panel=True),
    Row("modes", "modes.feature:Modes", panel=True),
    Row("real_images", "real_images.feature:RealImages", panel=True),
    Row("tempering", "tempering.feature:Tempering", panel=True),
    Row("photograph", "photograph.feature:Photographs"),
    Row("verdict", "verdict.feature:JudgeVerdicts"),
    Row("comparing", "compare.compare:Comparing"),
    Row("display", "display.display:DisplayMenu"),
    Row("help", "help.help:Help"),
)
