"""Contact sheets: a page with the pictures of many neurons, its recipe, and drawing it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image, ImageFont

from ldam_studio.engine.description import with_lanes
from ldam_studio.engine.picture import Bytes, enlarge
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.cells import Cell, SheetDescription
from ldam_studio.export.recipe import Recipe
from ldam_studio.export.sheet import CAPTION_SIZE, TYPE_SIZE, fitted, tiled
from ldam_studio.export.shown import Shown, picture_of

CELL = 112
"""Largest side of a cell's picture on the page, in pixels."""
MOST_TEXT = 900_000
"""Bytes of a recipe on a page; Pillow does not open a picture with more than 1 MB of text."""

WIDEST = 1000
"""Largest width of the title, in pixels."""

GROUND = 232
"""Grey around pictures that are smaller than others on the page."""


@dataclass(frozen=True)
class Page:
    """A contact sheet: its title, and its cells with their pictures (H, W, 3)."""

    title: str
    cells: Sequence[Cell]
    pictures: Sequence[Bytes]

    def drawn(self) -> Bytes:
        """Return the page (H, W, 3); texts that are too long for it are cut."""
        small = [fitted_to(picture, CELL) for picture in self.pictures]
        height, width = (max(picture.shape[side] for picture in small) for side in (0, 1))
        groups = [[centred(picture, (height, width))] for picture in small]
        font, large = ImageFont.load_default(CAPTION_SIZE), ImageFont.load_default(TYPE_SIZE)
        captions = [fitted(cell.caption, font, CELL) for cell in self.cells]
        return np.asarray(tiled(fitted(self.title, large, WIDEST), groups, captions, 1))

    def recipe(self, state: SessionState, shown: Shown, picture: Bytes, folder: Path) -> Recipe:
        """Return the recipe of the drawn page, for a file in `folder`.

        Parameters
        ----------
        state
            The session of one of the neurons, as all of them begin, with the log that they share
            and the last step that any may reach.
        shown
            How each neuron's picture is shown, but for the chain.
        picture
            The page.

        Raises
        ------
        StudioError
            If there are too many neurons for a recipe.
        """
        described = msgspec.to_builtins(SheetDescription(self.title, tuple(self.cells)))
        raw = Recipe.of(state, replace(shown, what="raw"), picture, folder)
        recipe = raw.having(sheet=described, shown=raw.data["shown"] | {"what": shown.what})
        if len(recipe.text) > MOST_TEXT:
            raise StudioError("The sheet has too many neurons for its recipe; choose fewer.")
        return recipe


def fitted_to(picture: Bytes, side: int) -> Bytes:
    """Return a picture (H, W, 3) with at most `side` pixels in a row or column.

    Small pictures are enlarged by a whole number, and of large ones squares are averaged, so that
    no pixel is invented.
    """
    longest = max(picture.shape[:2])
    if longest <= side:
        return enlarge(picture, side // longest)
    reduced = Image.fromarray(picture).reduce(-(-longest // side))
    return np.asarray(reduced)


def centred(picture: Bytes, size: tuple[int, int]) -> Bytes:
    """Return a picture (H, W, 3) in the middle of a grey one of `size`, (height, width)."""
    if picture.shape[:2] == size:
        return picture
    ground = np.full((*size, 3), GROUND, np.uint8)
    top, left = ((space - own) // 2 for space, own in zip(size, picture.shape[:2], strict=True))
    ground[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return ground


Rerun = Callable[[Recipe, Callable[[int, int], bool | None]], SessionState | None]


def drawn_again(
    recipe: Recipe,
    sheet: SheetDescription,
    rerun: Rerun,
    on_step: Callable[[int, int], bool | None],
) -> tuple[SessionState, Bytes] | None:
    """Draw every neuron of a sheet again; return the last one's session, and the page.

    Parameters
    ----------
    rerun
        Runs the recipe of a single picture; see `rerun.rerun`.
    on_step
        Called with the number of steps done and of all steps; returning False stops.

    Returns
    -------
    None if it was stopped.
    """
    total = sum(cell.step for cell in sheet.cells)
    before, pictures = 0, []
    state = None
    for cell in sheet.cells:
        done = before

        def count(step: int, _steps: int, done: int = done) -> bool | None:
            return on_step(done + step, total)

        own = of_cell(recipe, cell)
        state = rerun(own, count)
        if state is None:
            return None
        before += cell.step
        pictures.append(picture_of(state, own.shown))
    assert state is not None  # a sheet has a cell
    return state, Page(sheet.title, sheet.cells, pictures).drawn()


def of_cell(recipe: Recipe, cell: Cell) -> Recipe:
    """Return the recipe of one neuron's picture on a sheet; `StudioError` if it is not valid."""
    if recipe.session_file is not None:
        raise StudioError("The recipe of the sheet names a session file, which no sheet has.")
    data = {name: value for name, value in recipe.data.items() if name != "sheet"}
    for name in ("session", "end"):
        data[name] = with_lanes(data[name])
        first = data[name]["lanes"][0]
        lane = dict(first) | {"neurons": [cell.neuron] * len(first["neurons"])}
        data[name] = data[name] | {"lanes": [lane]}
    data["log"] = [entry for entry in data["log"] if entry[0] < cell.step]
    data["shown"] = data["shown"] | {"front": cell.chain}
    return Recipe(data | {"step": cell.step})
