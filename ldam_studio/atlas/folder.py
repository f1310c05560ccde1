"""The folder of an atlas: one file for each neuron, which is all that is known of it.

A neuron is done when its file is there and whole. `INDEX` only says which atlas the folder is of.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from ldam_studio import __version__
from ldam_studio.atlas.pictures import AtlasRow, read_row
from ldam_studio.engine.description import Text
from ldam_studio.errors import StudioError
from ldam_studio.explore import folder_index
from ldam_studio.explore.folder_index import check_same
from ldam_studio.explore.sheets.spec import file_name
from ldam_studio.files import check_folder, is_regular, is_there, remove_temporaries, write_bytes
from ldam_studio.networks.neurons import Neuron

INDEX = "atlas.json"
FORMAT = 1
MOST_LAYERS = 10_000
"""Layers of an atlas, all of which a window lists at once."""
NETWORK, CODE = "network", "own code"
"""What an index says of the network: its name, and the content of the code that makes it."""
LEFT_S = 3600.0
"""Age in seconds from which a file that is half written was left by a process that was killed."""


class Index(Struct, frozen=True):
    """The content of `INDEX`: what all neurons of the atlas have in common, and its layers."""

    format: Annotated[int, Meta(ge=1, le=FORMAT)]
    version: Text
    atlas: dict[str, Any]
    layers: Annotated[tuple[Text, ...], Meta(max_length=MOST_LAYERS)]


class AtlasFolder:
    """The folder of an atlas, in which it goes on.

    One in which no neuron was drawn, because the first try failed, may become that of another.

    Parameters
    ----------
    folder
        Made if it is missing.
    described
        What makes the atlas what it is, in JSON's types.

    Raises
    ------
    StudioError
        If the folder has another atlas, its index is damaged, or nothing can be written to it.
    """

    def __init__(self, folder: Path, described: Mapping[str, Any]) -> None:
        self.folder = folder.absolute()
        self._described = json.loads(json.dumps(described))
        check_folder(folder)
        self._given_up: Index | None = None
        if is_regular(folder / INDEX):
            index = read_index(folder)
            try:
                self._check_same(index)
            except StudioError:
                if any(_has_pictures(self.folder / folder_name(layer)) for layer in index.layers):
                    raise
                self._given_up = index

    def begin(self, layers: Sequence[str]) -> None:
        """Write the index with further layers, and remove what killed processes left half written.

        Raises
        ------
        StudioError
            If it cannot be written, or another command has begun another atlas meanwhile.
        """
        before: tuple[str, ...] = ()
        if is_regular(self.folder / INDEX):  # another command may have written to it meanwhile
            there = read_index(self.folder)
            if there != self._given_up:
                self._check_same(there)
                before = there.layers
        together = tuple(dict.fromkeys([*before, *layers]))
        index = {
            "format": FORMAT,
            "version": __version__,
            "atlas": self._described,
            "layers": together,
        }
        write_bytes(self.folder / INDEX, json.dumps(index, indent=1, allow_nan=False).encode())
        self._given_up = None
        for layer in together:
            remove_temporaries(self.folder / folder_name(layer), LEFT_S)

    def check_same(self) -> None:
        """Raise `StudioError` if another command has made it the folder of another atlas."""
        self._check_same(read_index(self.folder))

    def path(self, neuron: Neuron, key: str) -> Path:
        """Return the file of a neuron."""
        return self.folder / relative_path(neuron, key)

    def _check_same(self, index: Index) -> None:
        here, there = (dict(_flat(atlas)) for atlas in (self._described, index.atlas))
        # The same code may lie elsewhere. Folders of earlier versions know only where it lay.
        unknown = NETWORK if CODE in here and CODE in there else CODE
        here.pop(unknown, None)
        there.pop(unknown, None)
        check_same(self.folder, here, there, "atlas", "choose another folder with --out")


def _has_pictures(folder: Path) -> bool:
    return next(folder.glob("*.png"), None) is not None


def _flat(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, each in value.items():
        if isinstance(each, Mapping):
            yield from _flat(each)
        else:
            yield name, each


def read_index(folder: Path) -> Index:
    """Read the index; `StudioError` if it is damaged or of a later version."""
    remedy = "remove it, and the pictures that are there are used again"
    return folder_index.read_index(folder / INDEX, Index, "an atlas", remedy)


def key_of(sheet: str, neuron: Neuron) -> str:
    """Return the hash that names a neuron's file.

    Parameters
    ----------
    sheet
        The hash of what the neurons of its layer have in common, with the hash of the weights; see
        `explore.sheets.folder.digest_of`.
    """
    return hashlib.sha256(f"{sheet} {neuron}".encode()).hexdigest()[:24]


def relative_path(neuron: Neuron, key: str) -> Path:
    """Return the place of a neuron's file in the folder; equal for no two neurons or recipes."""
    stem = file_name(neuron).removesuffix(".png")
    return Path(folder_name(neuron.layer), f"{stem}-{key}.png")


def folder_name(layer: str) -> str:
    """Return the name of the folder of a layer. Layers may share one: keys tell files apart."""
    return re.sub(r"[^A-Za-z0-9_.,@-]", "-", layer).strip("-.")[:100] or "layer"


def found_at(path: Path, neuron: Neuron, key: str) -> AtlasRow | None:
    """Return what the file of a neuron says of it; None if there is none.

    Raises
    ------
    StudioError
        If the file is damaged, or is another neuron's.
    """
    if not is_there(path):
        return None
    row = read_row(path)
    if (row.neuron, row.key) != (str(neuron), key):
        raise StudioError(f"{path} is the picture of another neuron; remove it.")
    return row
