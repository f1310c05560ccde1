"""Examining files that contain more than weights, without running any code."""

from __future__ import annotations

import pickletools
import re
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from ldam_studio.errors import StudioError

USUAL_KEYS = ("state_dict", "model_state_dict", "model", "net", "network", "weights")
"""Keys under which training scripts save a network's weights together with other things."""

NOTES = ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "PROTO", "FRAME")
"""Instructions of a pickle that create no object."""

DICTIONARIES = ("collections OrderedDict", "builtins dict")


def more_than_weights(path: Path, data: bytes, error: BaseException) -> StudioError:
    """Return the error for a file that contains more than weights, with code to extract them.

    Parameters
    ----------
    error
        Torch's error, which names the class that it did not accept.
    """
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    what = f" ({found[1]})" if found else ""
    load, save = "model = torch.load(FILE, weights_only=False)", "model.state_dict()"
    inside = _weights_inside(data)
    if inside is not None:
        load, save = load.replace("model", "saved", 1), inside
    return StudioError(
        f"{path} contains more than weights{what}, or is damaged. It was not opened, because such "
        f"a file can run code; if you trust it, extract the weights in Python: {load}, then "
        f"torch.save({save}, NEW_FILE)."
    )


def is_torchscript(data: bytes) -> bool:
    """Return whether a file was written by torch.jit.save: a program with its weights."""
    return any(name.endswith("/constants.pkl") for name in _names(data))


def _names(data: bytes) -> list[str]:
    try:
        with ZipFile(BytesIO(data)) as archive:
            return archive.namelist()
    except (BadZipFile, ValueError, OSError):
        return []


def _weights_inside(data: bytes) -> str | None:
    """Return the Python expression for the weights in a saved dictionary; None if it is not one."""
    made = list(_made(data))
    if not made or not _is_dictionary(made[0]):
        return None
    pairs = [(key, value) for (_, key), value in pairwise(made)]
    for usual in USUAL_KEYS:
        for key, value in pairs:
            if key == usual:
                return f'saved["{usual}"]' + ("" if _is_dictionary(value) else ".state_dict()")
    return "saved[KEY]"


def _made(data: bytes) -> Iterator[tuple[str, Any]]:
    """Yield a pickle's instructions with their arguments, except those that create no object."""
    name = next((name for name in _names(data) if name.endswith("/data.pkl")), None)
    if name is None:
        return
    try:
        with ZipFile(BytesIO(data)) as archive:
            for instruction, argument, _ in pickletools.genops(archive.read(name)):
                if instruction.name not in (*NOTES, "MARK"):
                    yield instruction.name, argument
    except Exception:
        # This only improves the error message, so a failure is harmless.
        return


def _is_dictionary(made: tuple[str, Any]) -> bool:
    instruction, argument = made
    return instruction == "EMPTY_DICT" or argument in DICTIONARIES
