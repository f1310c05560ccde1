"""Folders like those of atlases, whose pictures took no session: without recipes."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image

from ldam_studio.atlas.folder import INDEX, key_of, relative_path
from ldam_studio.atlas.pictures import ROW, SAMPLES, AtlasRow
from ldam_studio.networks.neurons import Neuron

CHAINS = 4
ALIKE = {"network": "lenet", "settings": {"l2": 0.1}}
"""What all neurons of an atlas have in common."""


def picture(seed: int, side: int, zoom: int = 1, chains: int = 1, *, coarse: int = 1) -> np.ndarray:
    """Return smooth noise (H, W, 3), beside each other as often as there are chains.

    With `coarse` values are multiples of it, for smaller files.
    """
    generator = np.random.default_rng(seed)
    small = generator.integers(0, 256, (max(2, side // 8), max(2, side // 8) * chains, 3), np.uint8)
    image = Image.fromarray(small).resize((side * chains, side), Image.Resampling.BICUBIC)
    values = np.asarray(image) // coarse * coarse
    return values.repeat(zoom, axis=0).repeat(zoom, axis=1)


def png_of(shown: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(shown).save(file, "PNG")
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def row(neuron: Neuron, **values: Any) -> AtlasRow:
    given = {
        "neuron": str(neuron), "label": "", "activation": 1.0, "converged": True, "silent": False,
        "steps": 300, "chain": 0, "layer": neuron.layer, "key": key_of("sheet", neuron), "modes": 1,
        "agreement": 0.9,
    }  # fmt: skip
    return AtlasRow(**(given | values))


def write_neuron(folder: Path, told: AtlasRow, picture: bytes, samples: bytes | None) -> Path:
    """Write the file of a neuron; `picture` and `samples` are PNG files."""
    neuron = Neuron(told.layer, int(told.neuron.rpartition(":")[2]))
    path = folder / relative_path(neuron, told.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = chunk(b"tEXt", ROW.encode() + b"\0" + msgspec.json.encode(told))
    if not told.label.isascii() or not told.layer.isascii():
        text = chunk(b"iTXt", ROW.encode() + b"\0\0\0\0\0" + msgspec.json.encode(told))
    private = b"" if samples is None else chunk(SAMPLES, samples)
    path.write_bytes(picture[:33] + text + private + picture[33:])
    return path


def write_index(folder: Path, layers: Sequence[str], **atlas: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    about = {"network": "lenet", "weights' SHA-256": "0" * 64, "chains": CHAINS, "steps": 300}
    index = {"format": 1, "version": "0.1.0", "atlas": about | atlas, "layers": list(layers)}
    (folder / INDEX).write_text(json.dumps(index))


def write_atlas(
    folder: Path,
    layers: Mapping[str, int],
    *,
    side: int = 28,
    zoom: int = 4,
    coarse: int = 1,
    **atlas: Any,
) -> list[AtlasRow]:
    """Write an atlas with so many neurons of each layer; every fifth has something special."""
    write_index(folder, list(layers), **atlas)
    pictures = [png_of(picture(seed, side, zoom, coarse=coarse)) for seed in range(40)]
    strips = [
        png_of(picture(seed, min(side, 112), zoom, CHAINS, coarse=coarse)) for seed in range(20)
    ]
    rows = list[AtlasRow]()
    for layer, count in layers.items():
        for number in range(count):
            told = row(
                Neuron(layer, number),
                activation=round(10 * float(np.sin(len(rows) * 0.7)), 4),
                converged=number % 5 != 1,
                silent=number % 5 == 2,
                modes=1 + (number % 5 == 3),
                label=f"label {number}" if number % 5 == 4 else "",
            )
            write_neuron(folder, told, pictures[len(rows) % 40], strips[len(rows) % 20])
            rows.append(told)
    return rows
