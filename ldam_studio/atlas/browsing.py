"""Looking through an atlas: which files there are, and their neurons in which order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from ldam_studio.atlas.folder import FORMAT, INDEX, Index, folder_name, read_index
from ldam_studio.atlas.pictures import AtlasRow
from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.contact_sheet import CELL, fitted_to
from ldam_studio.export.formats import png
from ldam_studio.files import is_regular, read_state

ORDERS = {
    "index": "Number",
    "activation": "Activation",
    "convergence": "Convergence",
    "modes": "Modes",
}
"""The orders by name, with their titles."""

_NUMBERS = re.compile(r"([0-9]+)")


@dataclass(frozen=True)
class Found:
    """A neuron of an atlas: its file, and what the file says of it."""

    path: Path
    row: AtlasRow


class _Header(msgspec.Struct):
    format: int


def is_atlas(folder: Path) -> bool:
    """Return whether a folder has the index of an atlas."""
    return is_regular(folder / INDEX)


def index_of(folder: Path) -> Index:
    """Read the index of a folder.

    Raises
    ------
    StudioError
        If the folder is no atlas, is one of a later version, or its index is damaged.
    """
    if not is_atlas(folder):
        raise StudioError(
            f"{folder} is no folder of an atlas, since it has no {INDEX}; choose the folder that "
            "ldam-studio atlas wrote."
        )
    try:
        later = msgspec.json.decode(read_state(folder / INDEX), type=_Header).format > FORMAT
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        later = False
    if later:
        raise StudioError(
            f"The atlas in {folder} is from a later version of LDAM Studio; open it with that one."
        )
    return read_index(folder)


def files_in(folder: Path, layers: Sequence[str]) -> Iterator[Path]:
    """Yield the pictures of an atlas, layer by layer, with their numbers in ascending order."""
    for name in dict.fromkeys(map(folder_name, layers)):
        try:
            with os.scandir(folder / name) as entries:
                names = [e.name for e in entries if e.name.lower().endswith(".png")]
        except OSError:
            continue  # no neuron of the layer is drawn yet
        for each in sorted(names, key=_numbered):
            if not each.startswith("."):  # a file that is being written
                yield folder / name / each


def _numbered(name: str) -> list[tuple[int, str]]:
    # Parts with and without digits take turns.
    return [(int(p[:18]), "") if p.isdecimal() else (0, p) for p in _NUMBERS.split(name)]


def thumbnail(path: Path) -> Bytes:
    """Return the picture of a neuron in small (H, W, 3).

    Raises
    ------
    StudioError
        If the file is gone or damaged.
    """
    return fitted_to(png.decode(path)[1], CELL)


class Table:
    """What is known of the neurons of an atlas, to be searched and sorted.

    Parameters
    ----------
    layers
        The names of the layers, in the order of the network.
    """

    def __init__(self, layers: Sequence[str]) -> None:
        self.layers = list(layers)
        self.found: list[Found] = []
        self._ranks = {layer: rank for rank, layer in enumerate(layers)}
        self._words: list[str] = []
        self._rows: list[tuple[float, ...]] = []
        self._numbers: NDArray[np.float64] = np.empty((0, _COLUMNS))

    def __len__(self) -> int:
        """Return the number of neurons."""
        return len(self.found)

    def add(self, found: Sequence[Found]) -> None:
        """Add neurons; a layer that the index does not name comes after the others."""
        for each in found:
            row = each.row
            if row.layer not in self._ranks:
                self._ranks[row.layer] = len(self.layers)
                self.layers.append(row.layer)
            self._words.append(f"{row.neuron}\n{row.label}".casefold())
            self._rows.append(_columns(self._ranks[row.layer], row))
        self.found += found

    def counts(self) -> dict[str, int]:
        """Return how many neurons each layer has."""
        told = np.bincount(self._table()[:, 0].astype(int), minlength=len(self.layers))
        return {layer: int(told[self._ranks[layer]]) for layer in self.layers}

    def arranged(self, order: str, layer: str | None = None, text: str = "") -> NDArray[np.intp]:
        """Return the positions of neurons in one of `ORDERS`.

        Parameters
        ----------
        layer
            The layer whose neurons are wanted; None for all.
        text
            Words that address or label contain, in letters of any size.
        """
        table = self._table()
        chosen = np.ones(len(table), bool)
        if layer is not None:
            chosen &= table[:, 0] == self._ranks.get(layer, -1)
        for word in text.casefold().split():
            chosen &= np.fromiter((word in words for words in self._words), bool, len(table))
        rank, number, activation, silent, moving, steps, apart, modes = table[chosen].T
        keys = {
            "index": (),
            "activation": (-activation, silent),
            "convergence": (apart, steps, moving, silent),
            "modes": (-modes, silent),
        }
        return np.flatnonzero(chosen)[np.lexsort((number, rank, *keys[order]))]

    def _table(self) -> NDArray[np.float64]:
        if len(self._numbers) < len(self._rows):
            new = np.array(self._rows[len(self._numbers) :], np.float64)
            self._numbers = np.concatenate([self._numbers, new])
        return self._numbers


_COLUMNS = 8


def _columns(rank: int, row: AtlasRow) -> tuple[float, ...]:
    number = re.match(r"\d{1,9}", row.neuron.partition(f"{row.layer}:")[2])
    return (
        rank,
        int(number[0]) if number else -1,
        row.activation,
        row.silent,
        not row.converged,
        row.steps,
        -(row.agreement or 0.0),
        row.modes,
    )
