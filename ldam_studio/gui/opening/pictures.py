"""Exported pictures and links, and the two ways to open their session: at its start, or later."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from ldam_studio.engine.description import Reference, parse
from ldam_studio.engine.session import open_session
from ldam_studio.errors import StudioError
from ldam_studio.export.formats.table import read
from ldam_studio.export.links import no_folder, unpacked
from ldam_studio.export.locate import Nearby
from ldam_studio.export.references import references_in
from ldam_studio.export.rerun import data_of, learns, rerun, spec_at_export
from ldam_studio.gui.opening.leave import with_leave
from ldam_studio.gui.session.model import Display
from ldam_studio.gui.session.openings import Opening
from ldam_studio.networks.sources.families import short_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from ldam_studio.engine.picture import Bytes
    from ldam_studio.engine.state import SessionState
    from ldam_studio.export.recipe import Recipe

WHAT = {"average": "The running average", "raw": "The raw sample", "strip": "Raw samples"}
WHAT["averages"] = "Running averages"
LINK = "the link"
ONE = {"averages": "average", "strip": "raw"}  # what the pictures of all chains show of one


class Replaying:
    """How far a replay is; it is read and stopped from another thread."""

    def __init__(self) -> None:
        self.done = self.total = 0
        self.stopped = False

    def on_step(self, done: int, total: int) -> bool:
        """Note a step; return whether to go on."""
        self.done, self.total = done, total
        return not self.stopped


@dataclass(frozen=True)
class Picture:
    """An exported picture that was read and checked, or a link to one.

    Attributes
    ----------
    name
        Name of the file; `LINK` for a link.
    folder
        The folder in which the recipe lies.
    pixels
        Shape (H, W, 3); None for links and figures.
    elsewhere
        Files and folders that the recipe names and that are read only with this person's leave.
    """

    name: str
    folder: Path
    recipe: Recipe
    pixels: Bytes | None
    elsewhere: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The name as a title."""
        return "Link" if self.name == LINK else self.name

    @property
    def words(self) -> str:
        """What the picture shows, in a line."""
        lane, shown = self.recipe.said.end.lanes[0], self.recipe.shown
        neurons = lane.neurons
        if self.recipe.said.sheet is not None:
            return (
                f"Contact sheet of {self.recipe.said.sheet.title}. Its session is that of "
                f"{neurons[0]}; each neuron has a session of its own."
            )
        of = neurons[shown.front] if shown.front < len(neurons) else neurons[0]
        what = shown.what if len(neurons) > 1 else ONE.get(shown.what, shown.what)
        whose = of if what in ("average", "raw") else f"{len(neurons)} chains"
        name = short_name(lane.network.name)
        return f"{WHAT[what]} of {whose}, {name}, at step {self.recipe.step:,}"

    def from_start(self) -> Opening:
        """Return how to open the session from its start, with the settings at the export.

        Code that the picture names is not run by that; see `Opening.trusted`.
        """
        return self._opening(
            lambda nearby: open_session(spec_at_export(self.recipe, nearby)),
            f"The session of {self.name}, from its start: its neurons, settings and seed.",
        )

    def going_on(self, replaying: Replaying) -> Opening:
        """Return how to open the session as it was at the export, which replays it up to there."""

        def make(nearby: Nearby) -> SessionState:
            state = rerun(self.recipe, nearby, replaying.on_step)
            if state is None:
                raise StudioError(f"{self.name} was not opened, since its replay was stopped.")
            return state

        return self._opening(
            make, f"The session of {self.name}, from step {self.recipe.step:,} on."
        )

    def _opening(self, make: Callable[[Nearby], SessionState], note: str) -> Opening:
        shown, folder = self.recipe.shown, self.folder
        named = [parse(one, Reference) for one in references_in(self.recipe.data) if "name" in one]
        opening = Opening(
            title=PurePath(self.title).stem,
            make=lambda: make(Nearby(folder)),
            display=Display(shown.display, shown.scale),
            front=shown.front,
            note=note,
        )
        return with_leave(opening, make, folder, named, self.elsewhere, "picture")


def read_picture(path: Path) -> Picture:
    """Read an exported picture.

    Raises
    ------
    StudioError
        If the file is not an exported picture, or was altered.
    """
    recipe, pixels = read(path)
    return Picture(path.name, path.parent, recipe, pixels, _elsewhere(recipe, path.parent))


def read_link(link: str, figure: Path | None = None) -> Picture:
    """Read a link, or the one in an exported figure.

    Raises
    ------
    StudioError
        If the text is no link, or is damaged.
    """
    recipe = unpacked(link)
    if figure is None:
        return Picture(LINK, no_folder(), recipe, None, _elsewhere(recipe, no_folder()))
    folder = figure.parent
    return Picture(figure.name, folder, recipe, None, _elsewhere(recipe, folder))


def _elsewhere(recipe: Recipe, folder: Path) -> tuple[str, ...]:
    nearby = Nearby(folder)
    elsewhere = nearby.elsewhere(recipe.data)
    if learns(recipe):
        try:
            nearby.check_data(data_of(recipe), recipe.said.real_images)
        except StudioError:
            elsewhere = (*elsewhere, str(data_of(recipe)))
    return elsewhere
