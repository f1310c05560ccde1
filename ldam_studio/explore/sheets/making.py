"""Making a contact sheet neuron by neuron, and writing its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from ldam_studio.engine.picture import Bytes
from ldam_studio.explore.sheets.drawing import draw, shared_state
from ldam_studio.explore.sheets.folder import SheetFolder
from ldam_studio.explore.sheets.ordering import ordered
from ldam_studio.explore.sheets.rows import SheetRow
from ldam_studio.explore.sheets.spec import SheetSpec
from ldam_studio.export.cells import Cell
from ldam_studio.export.contact_sheet import CELL, Page, fitted_to
from ldam_studio.export.formats import png
from ldam_studio.files import write_bytes
from ldam_studio.networks.neurons import Neuron
from ldam_studio.progress import tell

DOING = "drawing neurons"
MOVING = "~"
"""Stands behind the caption of a picture that had not converged."""
SILENT = "silent"
"""Stands in place of the activation where the neuron gave no gradient, so the picture is noise."""
MOST_LETTERS = 12
"""Letters of a class below its picture."""


@dataclass(frozen=True)
class Made:
    """A neuron with a small picture (H, W, 3), as on the page.

    `number` is its place among the sheet's neurons.
    """

    number: int
    neuron: Neuron
    row: SheetRow
    picture: Bytes


def make(spec: SheetSpec, folder: SheetFolder) -> Iterator[Made]:
    """Yield every neuron of a sheet: first those in the folder, then the others as they converge.

    Each is written to the folder before it is yielded, so that the sheet can be stopped at any
    time and goes on later. Only small pictures stay in memory. The work tells how many neurons are
    done (`progress.tell`), which also stops it.

    Raises
    ------
    StudioError
        As `draw` and `SheetFolder.add` do.
    """
    there: set[int] = set()
    for made in drawn_already(spec, folder):
        there.add(made.number)
        yield made
    done, total = len(there), len(spec.neurons)
    threads = torch.get_num_threads()
    try:
        for number, neuron in enumerate(spec.neurons):
            if number in there:
                continue
            drawn = draw(spec, neuron, partial(tell, DOING, done, total))
            picture = fitted_to(folder.add(neuron, drawn), CELL)
            done += 1
            tell(DOING, done, total)
            yield Made(number, neuron, drawn.row, picture)
    finally:
        torch.set_num_threads(threads)


def drawn_already(spec: SheetSpec, folder: SheetFolder) -> Iterator[Made]:
    """Yield the neurons of a sheet that are in the folder."""
    for number, neuron in enumerate(spec.neurons):
        tell("reading what is drawn", number, len(spec.neurons))
        picture = folder.picture(neuron)
        if picture is not None:
            yield Made(number, neuron, folder.rows[str(neuron)], fitted_to(picture, CELL))


def write_page(spec: SheetSpec, made: Sequence[Made], order: str, path: Path) -> None:
    """Write the page of a sheet with its recipe.

    Parameters
    ----------
    made
        All neurons that it shows.
    order
        One of `ordering.ORDERS`.

    Raises
    ------
    StudioError
        If the page would be too large, or cannot be written.
    """
    places = ordered(order, [m.row for m in made], [m.picture for m in made])
    cells = [
        Cell(made[i].row.neuron, made[i].row.steps, made[i].row.chain, caption(made[i]))
        for i in places
    ]
    page = Page(title(spec, made), cells, [made[i].picture for i in places])
    picture = page.drawn()
    recipe = page.recipe(shared_state(spec), spec.shown, picture, path.parent)
    write_bytes(path, png.encode(picture, recipe))


def title(spec: SheetSpec, made: Sequence[Made]) -> str:
    """Return the title of a page, which says how many pictures had not converged."""
    moving = sum(not m.row.converged and not m.row.silent for m in made)
    return f"{spec.title}, {moving} not converged ({MOVING})" if moving else spec.title


def caption(made: Made) -> str:
    """Return the caption of a picture, see `caption_of`."""
    return caption_of(made.row)


def caption_of(row: SheetRow) -> str:
    """Return the caption of a picture: its number or class, and `value_of` the neuron."""
    name = row.label
    if name == row.neuron:
        name = ("-" if name.startswith("-") else "") + name.rpartition(":")[2]
    return f"{name[:MOST_LETTERS]}  {value_of(row)}"


def value_of(row: SheetRow) -> str:
    """Return the activation with `MOVING` behind it if the picture had not converged, or `SILENT`.

    A silent neuron has no activation worth reading, and never converges.
    """
    if row.silent:
        return SILENT
    return activation_words(row.activation) + ("" if row.converged else f" {MOVING}")


def activation_words(value: float) -> str:
    """Return an activation with about three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
