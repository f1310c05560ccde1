"""Which file is meant by a folder, or by one of several files with an index."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes
from ldam_studio.networks.weights.reading.pickles import Unreadable
from ldam_studio.networks.weights.reading.shards import MOST_BYTES, shards_in

INDEX = ".index.json"
"""How the name of an index ends."""
USUAL = (
    *(f"*.safetensors{INDEX}", "model.safetensors", "*.safetensors"),
    *(f"*.bin{INDEX}", "pytorch_model.bin", "model.pt", "model.pth", "*.ckpt"),
)
"""What a folder's weights are called, as on a model hub; the first that is there counts."""
PART = re.compile(r"-\d{5}-of-\d{5}\.")


def file_at(path: Path) -> Path:
    """Return the weights file at a place: the file itself, that of a folder, or a part's index.

    Raises
    ------
    StudioError
        If a folder has none, or several of which none is the usual one.
    """
    if os.path.isdir(path):  # also where the name is impossible
        return _in_folder(path)
    return index_of(path) or path


def index_of(path: Path) -> Path | None:
    """Return the index that names a file as one of several, if there is one beside it."""
    if not PART.search(path.name):
        return None
    found = sorted(path.parent.glob(f"*{INDEX}"))
    return next((index for index in found if path.name in _parts(index)), None)


def _in_folder(folder: Path) -> Path:
    for name in USUAL:
        found = sorted(each for each in folder.glob(name) if each.is_file())
        if len(found) == 1:
            return found[0]
        if found:
            raise StudioError(
                f"The folder {folder} has several weights files, such as {found[0].name} and "
                f"{found[1].name}; name one of them."
            )
    raise StudioError(f"The folder {folder} has no weights file; name the file.")


def _parts(index: Path) -> set[str]:
    try:
        return set((shards_in(read_bytes(index, MOST_BYTES)) or {}).values())
    except (StudioError, Unreadable):
        return set()
