"""The file of one neuron: its average with the recipe, what is said of it, and the last samples.

It is a PNG picture, which `replay` computes again. Beside the recipe it has a row of JSON
(`AtlasRow`) under the keyword `ROW`, in the private chunk `SAMPLES` a small picture of the chains'
last samples, and in its last chunk before the end, `SEAL`, the SHA-256 of all bytes before. A file
whose seal fits is whole, which is found out in a fifth of the time that comparing its
pixels with its recipe takes.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from ldam_studio.engine.description import MOST_CHAINS, Text
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.explore.modes.features import LEAST, edges
from ldam_studio.explore.modes.grouping import group_directions
from ldam_studio.explore.sheets.drawing import Drawn
from ldam_studio.explore.sheets.rows import SheetRow
from ldam_studio.export.contact_sheet import CELL, fitted_to
from ldam_studio.export.exporting import draft
from ldam_studio.export.formats import png
from ldam_studio.export.formats.table import read
from ldam_studio.export.recipe import Recipe
from ldam_studio.export.shown import Shown, picture_of
from ldam_studio.files import read_bytes

ROW = "ldam-atlas"
SAMPLES = b"smPl"
"""Type of the chunk with the samples: private, and may be left out by those who do not know it."""
SEAL = b"seAL"
"""Type of the chunk with the seal: programs that change a picture leave it out."""
_IEND = b"\0\0\0\0IEND\xaeB`\x82"
END = len(_IEND)
"""Bytes of a PNG file's last chunk, and of what surrounds the content of any other."""
SEALED = END + hashlib.sha256().digest_size
"""Bytes of the chunk with the seal."""
UNREADABLE = (*png.DAMAGE, Image.DecompressionBombError)
"""What Pillow raises for a picture that is damaged, or was made to take all memory."""
MOST_BYTES = 2**26
"""Largest size of a file: 4096 x 4096 pixels of noise take less."""
MOST_SAMPLES = 8
"""Chains whose last samples are shown."""


class AtlasRow(SheetRow, frozen=True, kw_only=True):
    """What an atlas says of a neuron.

    Attributes
    ----------
    layer
        The neuron's layer.
    key
        The hash of recipe, weights and address that the file is named by.
    modes
        How many different pictures the chains' averages are.
    """

    layer: Text
    key: Text
    modes: Annotated[int, Meta(ge=0, le=MOST_CHAINS)]


def row_of(drawn: Drawn, layer: str, key: str) -> AtlasRow:
    """Return what an atlas says of a neuron that was drawn."""
    return AtlasRow(
        **msgspec.structs.asdict(drawn.row), layer=layer, key=key, modes=modes_of(drawn.state)
    )


def modes_of(state: SessionState) -> int:
    """Return into how many groups of like pictures the chains' averages fall."""
    lane = state.lane
    directions = edges(lane.shown_average().mean - lane.network.pixels.rest, lane.targets.fields[0])
    return len(group_directions(directions.cpu().numpy(), LEAST["pixels"]))


def samples_of(state: SessionState, shown: Shown) -> Bytes:
    """Return the last samples of the first chains beside each other (H, W, 3), in small."""
    chains = range(min(MOST_SAMPLES, len(state.lane.neurons)))
    small = [
        fitted_to(picture_of(state, replace(shown, what="raw", front=chain, zoom=1)), CELL)
        for chain in chains
    ]
    return np.concatenate(small, axis=1)


def files_of(drawn: Drawn, row: AtlasRow, shown: Shown, path: Path) -> dict[Path, bytes]:
    """Return the file of a neuron by its path, with a session file if its recipe needs one.

    Raises
    ------
    StudioError
        If there is nothing to show.
    """
    shown = replace(shown, front=row.chain)
    side = max(picture_of(drawn.state, shown).shape[:2])
    samples = samples_of(drawn.state, shown)
    encode = partial(_encoded, row, samples)
    pictures = {path: replace(shown, zoom=max(1, CELL // side))}
    return draft(drawn.state, pictures, encode=encode).files


def _encoded(row: AtlasRow, samples: Bytes, picture: Bytes, recipe: Recipe) -> bytes:
    small = BytesIO()
    Image.fromarray(samples).save(small, "PNG")
    text = msgspec.json.encode(row).decode()
    chunks = {SAMPLES: small.getvalue()}
    return sealed(png.encode(picture, recipe, texts={ROW: text}, chunks=chunks))


def sealed(data: bytes) -> bytes:
    """Return the bytes of a PNG file with a seal."""
    return data[:-END] + _seal(data[:-END]) + data[-END:]


def _seal(before: bytes) -> bytes:
    content = SEAL + hashlib.sha256(before).digest()
    length, check = len(content) - len(SEAL), zlib.crc32(content)
    return struct.pack(">I", length) + content + struct.pack(">I", check)


def _is_sealed(data: bytes) -> bool:
    before, after = data[: -SEALED - END], data[-SEALED - END :]
    return bool(before) and after == _seal(before) + _IEND


def read_row(path: Path) -> AtlasRow:
    """Read what a whole file of an atlas says of its neuron.

    Raises
    ------
    StudioError
        If the file is not one of an atlas, or damaged. Where another program has left the seal
        out, its pixels are compared with the recipe.
    """
    data = read_bytes(path, MOST_BYTES)
    if not _is_sealed(data):
        if SEAL in data or not data.endswith(_IEND):
            raise damage_of(path)
        read(path)
    return row_in(_opened(data, path), path)


def row_of_whole(data: bytes, path: Path) -> AtlasRow:
    """Return what the bytes of a file with a seal say of its neuron.

    Raises
    ------
    StudioError
        If they are damaged, or not of an atlas.
    """
    if not _is_sealed(data):
        raise damage_of(path)
    return row_in(_opened(data, path), path)


def samples_in(picture: PngImageFile) -> Bytes | None:
    """Return the last samples (H, W, 3) in an opened file of an atlas; None if it has none."""
    for kind, data, *_ in picture.private_chunks:
        if kind == SAMPLES:
            try:
                with Image.open(BytesIO(data), formats=("PNG",)) as image:
                    if max(image.size) > CELL * MOST_SAMPLES:
                        return None
                    return np.asarray(image.convert("RGB"))
            except UNREADABLE:
                return None
    return None


def opened_picture(path: Path) -> PngImageFile:
    """Open a PNG picture, whose pixels are not read yet; `StudioError` if it is none."""
    return _opened(read_bytes(path, MOST_BYTES), path)


def _opened(data: bytes, path: Path) -> PngImageFile:
    try:
        image = Image.open(BytesIO(data), formats=("PNG",))
    except UNREADABLE:
        raise damage_of(path) from None
    assert isinstance(image, PngImageFile)
    return image


def damage_of(path: Path) -> StudioError:
    """Return the error of a picture that cannot be read."""
    return StudioError(f"The picture {path} is damaged; copy it again.")


def row_in(image: PngImageFile, path: Path) -> AtlasRow:
    """Return what an opened file says of its neuron; `StudioError` if it is none of an atlas."""
    text = image.info.get(ROW)
    try:
        # Pillow's own kind of text, for other letters than Latin ones, is none for msgspec.
        return msgspec.json.decode(str(text) if isinstance(text, str) else "", type=AtlasRow)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise StudioError(f"{path} is no picture of an atlas; remove it.") from None
