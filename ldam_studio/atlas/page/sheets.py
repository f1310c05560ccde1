"""Reading the pictures of a group, and making its sprite sheets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from ldam_studio.atlas.page.finding import Group
from ldam_studio.atlas.page.sprites import Kind, Sprites, sprites_of
from ldam_studio.atlas.pictures import (
    MOST_SAMPLES,
    UNREADABLE,
    AtlasRow,
    damage_of,
    opened_picture,
    row_in,
    samples_in,
)
from ldam_studio.engine.description import Text
from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.contact_sheet import CELL, fitted_to
from ldam_studio.export.shown import MOST_PIXELS

KIND = "2"
"""The way in which sheets are made; another one makes all of them anew."""
PER_STRIP = 16
"""Neurons whose samples share a sheet: one is shown at a time."""

Side = Annotated[int, Meta(ge=1, le=CELL * MOST_SAMPLES)]


class Cells(Struct, frozen=True):
    """A sheet: the size of its cells in pixels, how many times they were enlarged, its format."""

    width: Side
    height: Side
    zoom: Side
    kind: Kind


class Kept(Struct, frozen=True):
    """A neuron on a sheet: what is said of it, its file, and how many samples are shown."""

    row: AtlasRow
    file: Text
    samples: Annotated[int, Meta(ge=0, le=MOST_SAMPLES)]


class Sheet(Struct, frozen=True):
    """What is known of a group's sheets.

    Attributes
    ----------
    stamp
        The group's stamp, see `finding.Group.stamp`.
    folder
        The folder of the pictures.
    cells
        Those of the averages.
    strips
        Those of the samples of each `PER_STRIP` neurons; None if these have none.
    kept
        The neurons in the order of the cells.
    damaged
        A sentence for each picture that cannot be read.
    """

    stamp: Text
    folder: Text
    cells: Cells | None
    strips: tuple[Cells | None, ...]
    kept: tuple[Kept, ...]
    damaged: tuple[Text, ...]


def files_of(name: str, sheet: Sheet) -> list[str]:
    """Return the names of the files of a group's sheets; that of the averages is the first."""
    if sheet.cells is None:
        return []
    stem = f"{name}-{sheet.stamp}"
    strips = [f"{stem}s{i}.{cells.kind}" for i, cells in enumerate(sheet.strips) if cells]
    return [f"{stem}.{sheet.cells.kind}", *strips]


def sheet_of(folder: Path, group: Group, chains: int) -> tuple[Sheet, dict[str, bytes]]:
    """Read the pictures of a group; return what is known of its sheets, and their files by name.

    Parameters
    ----------
    folder
        That of the atlas.
    chains
        How many chains each neuron has.
    """
    kept, pictures, strips, damaged = list[Kept](), list[Bytes](), list[Bytes | None](), list[str]()
    for file in group.files:
        path = folder / group.folder / file.name
        try:
            row, picture, samples = _read(path)
        except StudioError as error:
            damaged.append(str(error)[:1000])
            continue
        shown = 0 if samples is None else _count(samples, chains)
        kept.append(Kept(row, file.name, shown))
        pictures.append(picture)
        strips.append(samples)
    stamp = group.stamp(KIND)
    if not pictures:
        return Sheet(stamp, group.folder, None, (), (), tuple(damaged)), {}
    averages = sprites_of(pictures)
    parts = [_strips(strips[at : at + PER_STRIP]) for at in range(0, len(strips), PER_STRIP)]
    sheet = Sheet(
        stamp,
        group.folder,
        _cells(averages),
        tuple(_cells(part) if part else None for part in parts),
        tuple(kept),
        tuple(damaged),
    )
    data = [averages.data, *(part.data for part in parts if part)]
    return sheet, dict(zip(files_of(group.name, sheet), data, strict=True))


def _read(path: Path) -> tuple[AtlasRow, Bytes, Bytes | None]:
    """Read a picture of an atlas; its recipe is not looked at."""
    image = opened_picture(path)
    if image.width * image.height > MOST_PIXELS:
        raise StudioError(f"{path} has more pixels than any picture of an atlas; remove it.")
    row = row_in(image, path)
    try:
        picture = np.asarray(image.convert("RGB"))
    except UNREADABLE:
        raise damage_of(path) from None
    return row, fitted_to(picture, CELL), samples_in(image)


def _count(samples: Bytes, chains: int) -> int:
    """Return how many samples stand beside each other: as many as chains, if the width fits."""
    count, (height, width) = min(MOST_SAMPLES, chains), samples.shape[:2]
    if width % count == 0:
        return count
    return int(min(MOST_SAMPLES, max(1, width // height)))


def _strips(strips: list[Bytes | None]) -> Sprites | None:
    """Return a sheet of strips below each other; None if there is no strip."""
    if all(strip is None for strip in strips):
        return None
    blank = np.zeros((1, 1, 3), np.uint8)
    return sprites_of([blank if strip is None else strip for strip in strips], columns=1)


def _cells(sprites: Sprites) -> Cells:
    return Cells(sprites.width, sprites.height, sprites.zoom, sprites.kind)
