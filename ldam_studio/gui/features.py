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
        What its memory is filed under.
    factory
        Module and class, which is imported when the feature is made.
    panel
        Whether it puts a panel beside the images. Such a feature is made when the window is on the
        screen, so that the first moving frame does not wait for it.
    """

    name: str
    factory: str
    panel: bool = False

    def load(self) -> type[Feature]:
        """Import the feature's class, which is made from the port."""
        module, _, name = self.factory.partition(":")
        found = getattr(import_module(f"ldam_studio.gui.{module}"), name)
        assert issubclass(found, Feature)
        return cast("type[Feature]", found)


FEATURES = (
    Row("running", "running.running:Running"),
    Row("opening", "opening.files:Files"),
    Row("examples", "examples.examples:Examples"),
    Row("watching", "watch.watching:Watching"),
    Row("exporting", "exporting.exporting:Exporting"),
    Row("settings", "settings.feature:SettingsPanel", panel=True),
    Row("learner", "learner.feature:Learner", panel=True),
    Row("picking", "picker.feature:Picking", panel=True),
    Row("filters", "filters.feature:Filtering", panel=True),
    Row("traces", "traces.feature:Tracing", panel=True),
    Row("comparing", "compare.compare:Comparing"),
    Row("display", "display.display:DisplayMenu"),
    Row("help", "help.help:Help"),
)
