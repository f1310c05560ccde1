"""The folder of a contact sheet: a picture of every neuron with its recipe, and an index.

The index is written anew after each neuron, so that a sheet that was stopped goes on later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ldam_studio import __version__
from ldam_studio.engine.description import Text
from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.explore import folder_index
from ldam_studio.explore.folder_index import check_same
from ldam_studio.explore.sheets.drawing import Drawn
from ldam_studio.explore.sheets.rows import SheetRow
from ldam_studio.explore.sheets.spec import SheetSpec, file_name
from ldam_studio.export.cells import MOST_CELLS
from ldam_studio.export.contact_sheet import CELL
from ldam_studio.export.exporting import draft
from ldam_studio.export.formats.table import read
from ldam_studio.export.places import with_written_places
from ldam_studio.export.shown import picture_of
from ldam_studio.files import check_folder, is_regular
from ldam_studio.networks.neurons import Neuron

INDEX = "index.json"
FORMAT = 1
PLACES = ("weights", "labels", "data")
"""Where files lie, which may change; their content is known by its hash."""


class Index(Struct, frozen=True):
    """The content of an index; `sheet` is `SheetSpec.described`."""

    format: Annotated[int, Meta(ge=1, le=FORMAT)]
    version: Text
    sheet: dict[str, Any]
    neurons: Annotated[tuple[SheetRow, ...], Meta(max_length=MOST_CELLS)]


class SheetFolder:
    """The folder of a sheet, in which it goes on.

    Attributes
    ----------
    rows
        What is drawn already, by the neurons' addresses.

    Raises
    ------
    StudioError
        If the folder has another sheet, its index is damaged, or nothing can be written to it.
    """

    def __init__(self, spec: SheetSpec, folder: Path) -> None:
        self.spec, self.folder = spec, folder
        check_folder(folder)
        self.rows: dict[str, SheetRow] = {}
        if is_regular(folder / INDEX):
            index = read_index(folder)
            self._check_same(index)
            self.rows = {row.neuron: row for row in index.neurons}

    def picture(self, neuron: Neuron) -> Bytes | None:
        """Return the picture (H, W, 3) of a neuron, not enlarged; None if it has to be drawn.

        A picture that is missing, or is not the one of the index, is to be drawn again.
        """
        row = self.rows.get(str(neuron))
        if row is None:
            return None
        try:
            recipe, picture = read(self.path(neuron))
        except StudioError:
            return None
        end, shown = recipe.said.end.lanes[0], recipe.shown
        same = (set(end.neurons), recipe.step, shown.front) == ({row.neuron}, row.steps, row.chain)
        if not same or end.network.sha256 != self.spec.network.sha256:
            return None
        return picture[:: shown.zoom, :: shown.zoom]

    def add(self, neuron: Neuron, drawn: Drawn) -> Bytes:
        """Write the picture of a neuron and the index; return the picture (H, W, 3).

        Small pictures are enlarged in their files.

        Raises
        ------
        StudioError
            If a file cannot be written.
        """
        path = self.path(neuron)
        shown = replace(self.spec.shown, front=drawn.row.chain)
        rows = self.rows | {drawn.row.neuron: drawn.row}
        index = {
            "format": FORMAT,
            "version": __version__,
            "sheet": with_written_places(self.spec.described, self.folder),
            "neurons": [msgspec.to_builtins(row) for row in rows.values()],
        }
        text = json.dumps(index, indent=1, allow_nan=False).encode()
        picture = picture_of(drawn.state, shown)
        zoom = max(1, CELL // max(picture.shape[:2]))
        made = draft(drawn.state, {path: replace(shown, zoom=zoom)})
        made.write(drawn.state, {self.folder / INDEX: text})
        self.rows = rows
        return picture

    def path(self, neuron: Neuron) -> Path:
        """Return the file of a neuron's picture."""
        return self.folder / file_name(neuron)

    def _check_same(self, index: Index) -> None:
        here, there = (dict(_values(sheet)) for sheet in (self.spec.described, index.sheet))
        remedy = "choose another folder, or delete it"
        check_same(self.folder, here, there, "contact sheet", remedy)


def digest_of(spec: SheetSpec, name: str | None = None) -> str:
    """Return a name for the folder of a sheet that no sheet of other settings has.

    Parameters
    ----------
    name
        What stands for the network's name, for example because that has a path which may change.
    """
    names = {} if name is None else {"network name": name}
    values = sorted((n, repr(names.get(n, value))) for n, value in _values(spec.described))
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:24]


def _values(described: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield what makes a sheet what it is, by name; where its files lie is no part of that."""
    if isinstance(described, Mapping):
        for key, value in described.items():
            if key not in PLACES:
                yield from _values(value, (*names, str(key)))
    elif isinstance(described, list | tuple) and any(isinstance(d, Mapping) for d in described):
        for each in described:
            yield from _values(each, names)
    else:
        value = list(described) if isinstance(described, tuple) else described
        yield " ".join(names[-2:] if names[-1] in ("name", "sha256") else names[-1:]), value


def read_index(folder: Path) -> Index:
    """Read the index of a folder; `StudioError` if it is damaged or from a later version."""
    remedy = "delete it to draw the sheet anew"
    return folder_index.read_index(folder / INDEX, Index, "a contact sheet", remedy)
