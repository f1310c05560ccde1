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

_NUMBERS = re.compile(r"[0-9]+")
_DIGITS = 10  # of numbers that are sorted; longer ones, as in a key, need no order


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


def _numbered(name: str) -> str:
    """Return what sorts names by the numbers in them: text, since nothing runs while Python sorts.

    Text is compared ten times as fast as lists of numbers and words are.
    """
    return _NUMBERS.sub(lambda found: found[0].zfill(_DIGITS), name)


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
        self.paths: set[Path] = set()
        self._ranks = {layer: rank for rank, layer in enumerate(layers)}
        self._words: list[str] = []
        self._numbers: NDArray[np.float64] = np.empty((0, _COLUMNS))
        self._later: list[NDArray[np.float64]] = []  # to be added to them when they are needed
        self._orders: dict[str, NDArray[np.intp]] = {}

    def __len__(self) -> int:
        """Return the number of neurons."""
        return len(self.found)

    def add(self, found: Sequence[Found]) -> None:
        """Add neurons; a layer that the index does not name comes after the others."""
        rows = list[tuple[float, ...]]()
        for each in found:
            row = each.row
            if row.layer not in self._ranks:
                self._ranks[row.layer] = len(self.layers)
                self.layers.append(row.layer)
            self._words.append(f"{row.neuron}\n{row.label}".casefold())
            rows.append(_columns(self._ranks[row.layer], row))
        if rows:
            self._later.append(np.array(rows, np.float64))
            self.found += found
            self.paths.update(each.path for each in found)
            self._orders.clear()

    def counts(self) -> dict[str, int]:
        """Return how many neurons each layer has."""
        told = np.bincount(self._table()[:, 0].astype(int), minlength=len(self.layers))
        return {layer: int(told[self._ranks[layer]]) for layer in self.layers}

    def states(self) -> tuple[int, int]:
        """Return how many pictures had not converged, and how many neurons are silent besides."""
        silent, moving = self._table()[:, _SILENT] > 0, self._table()[:, _MOVING] > 0
        return int((moving & ~silent).sum()), int(silent.sum())

    def arranged(self, order: str, layer: str | None = None, text: str = "") -> NDArray[np.intp]:
        """Return the positions of neurons in one of `ORDERS`.

        Parameters
        ----------
        layer
            The layer whose neurons are wanted; None for all.
        text
            Words that address or label contain, in letters of any size.
        """
        at = self._sorted(order)
        if layer is not None:
            at = at[self._table()[at, 0] == self._ranks.get(layer, -1)]
        for word in text.casefold().split():
            has = np.fromiter((word in words for words in self._words), bool, len(self))
            at = at[has[at]]
        return at

    def _sorted(self, order: str) -> NDArray[np.intp]:
        """Return the positions of all neurons in an order, which a search then need not sort."""
        if order not in self._orders:
            rank, number, activation, silent, moving, steps, apart, modes = self._table().T
            keys = {
                "index": (),
                "activation": (-activation, silent),
                # One key in place of three: sorting takes most of the time.
                "convergence": (apart, (2 * silent + moving) * _MORE_THAN_STEPS + steps),
                "modes": (-modes, silent),
            }
            self._orders[order] = np.lexsort((number, rank, *keys[order]))
        return self._orders[order]

    def _table(self) -> NDArray[np.float64]:
        if self._later:
            self._numbers = np.concatenate([self._numbers, *self._later])
            self._later.clear()
        return self._numbers


_COLUMNS = 8
_SILENT, _MOVING = 3, 4
_MORE_THAN_STEPS = 1e13


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
