"""The formats of weights files, recognised by their content; names of files do not matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load

from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.weights.reading.building import MOST_TENSORS
from ldam_studio.networks.weights.reading.content import Tree, tensors_in, walk
from ldam_studio.networks.weights.reading.legacy import read_pickles, read_tar
from ldam_studio.networks.weights.reading.pickles import Inert, Unreadable
from ldam_studio.networks.weights.reading.zips import MEMBER, read_archive
from ldam_studio.networks.weights.shown import shown

HEADER_LIMIT = 100_000_000  # bytes, safetensors' own limit for its header
HEAD = 264
"""Bytes at the beginning of a file that tell its format."""
TAR = (257, b"ustar")
OTHERS = {
    b"version https://git-lfs": "is a pointer of Git LFS; fetch the file itself with: git lfs pull",
    b"\x89HDF": "is an HDF5 file, as Keras writes them",
    b"\x1f\x8b": "is compressed with gzip; unpack it",
    b"<": "is a web page or XML",
}
"""Other files that people have in the place of weights, and what to say about them."""

SAFETENSORS, ZIP, TAR_ARCHIVE, PICKLE, UNKNOWN = "safetensors", "zip", "tar", "pickle", "unknown"


def format_of(head: bytes, size: int) -> str:
    """Return a file's format, given its first `HEAD` bytes and its size."""
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and 2 <= length <= min(HEADER_LIMIT, size - 8):
        return SAFETENSORS
    if head.startswith(MEMBER):
        return ZIP
    if head[TAR[0] :].startswith(TAR[1]):
        return TAR_ARCHIVE
    return PICKLE if head[:1] == b"\x80" else UNKNOWN


def tensors_of(data: bytes) -> Tree:
    """Return the tensors in a file, given its bytes.

    Raises
    ------
    Unreadable
        If it is damaged, of another format, or holds too much.
    """
    kind = format_of(data[:HEAD], len(data))
    if kind == SAFETENSORS:
        return _safetensors(data)
    for start, clause in OTHERS.items():
        if data.startswith(start):
            raise Unreadable(clause)
    try:
        found = READERS[kind](data)
    except Unreadable:
        # Pickles of the first protocols begin with anything, so that most such files are none.
        if kind == UNKNOWN:
            raise Unreadable("is not a weights file") from None
        raise
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        raise Unreadable("is damaged") from None
    if not isinstance(found, dict | Inert | tuple | list):
        raise Unreadable(NO_STATE_DICT if kind != UNKNOWN else "is not a weights file")
    tensors = tensors_in(found)
    for _ in walk(tensors):
        pass  # refuses dictionaries that hold each other
    if not tensors and isinstance(found, list | tuple):
        raise Unreadable(NO_STATE_DICT)
    if not tensors and (hidden := _hidden(found)):
        raise Unreadable(hidden)
    return tensors


NO_STATE_DICT = "does not contain a state dict (tensors by name)"

READERS: dict[str, Callable[[bytes], Any]] = {
    ZIP: read_archive,
    TAR_ARCHIVE: read_tar,
    PICKLE: read_pickles,
    UNKNOWN: read_pickles,
}


def _safetensors(data: bytes) -> Tree:
    if data.count(b'"data_offsets"') > MOST_TENSORS:
        raise Unreadable("holds more tensors than a network has")
    try:
        return Tree(load(data))
    except (SafetensorError, ValueError, KeyError):
        raise Unreadable("is damaged") from None


def _hidden(found: Any) -> str:
    """Return what to say about a file whose weights only its own code can take out of its objects.

    The lines at its end are run by a test as they are printed, with the files' names in them. Empty
    if there are no such objects.
    """
    objects = {"saved": found}
    if isinstance(found, dict):
        objects = {
            f"saved[{key!r}]": value
            for key, value in found.items()
            if isinstance(key, str) and shown(key) == key
        }
    for what, value in objects.items():
        if isinstance(value, Inert) and value.name.startswith("__torch__."):
            return (
                "is a frozen TorchScript program, whose weights have no names; give the state dict "
                "of the network from which it was made"
            )
        if isinstance(value, Inert):
            return (
                f"has no tensors that can be read without its own code ({shown(value.name)}), and "
                "such a file can run code; if you trust it, save its weights in Python: "
                "import torch; saved = torch.load(FILE, weights_only=False); "
                f"torch.save({what}.state_dict(), NEW_FILE)"
            )
    return ""
