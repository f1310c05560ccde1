"""A whole session in one safetensors file, for example for a log too long for a picture."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save, save_file

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.description import with_lanes
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import Opener
from ldam_studio.engine.state import LogEntry, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.former_log import log_as_today
from ldam_studio.export.places import with_written_places, written_name
from ldam_studio.files import read_bytes, write_durably
from ldam_studio.memory import enough_for, free_bytes, require

MOST_BYTES = 2**32
"""Largest session file: a gigabyte is 1,000 chains on images of 224 x 224 pixels."""
SUFFIX = ".ldam-session.safetensors"
OS_ERROR = re.compile(r"os error (\d+)")  # in the words of safetensors


def session_bytes(state: SessionState, *, history: bool, folder: Path | None = None) -> bytes:
    """Return a session as the bytes of a safetensors file.

    Parameters
    ----------
    history
        Whether to include the log and its origin, so that pictures exported after reopening can be
        replayed from the start. Without them, a new log starts at this file.
    folder
        The folder of the picture beside which it is written; files are then named as in recipes,
        see `places`.
    """
    tensors, about = to_tensors(state)
    if folder is not None:
        layers = [[written_name(name, folder), *rest] for name, *rest in about["checked_layers"]]
        about = with_written_places(about, folder) | {"checked_layers": layers}
    return save(tensors, _metadata(state, about, history=history))


def save_session(state: SessionState, path: Path) -> None:
    """Write a session with its history, for going on after a crash.

    The file is written as a stream, which holds no other thread up, however large it is.

    Raises
    ------
    StudioError
        If the file cannot be written.
    """
    tensors, about = to_tensors(state)
    metadata = _metadata(state, about, history=True)

    def write(to: Path) -> None:
        try:
            save_file(tensors, to, metadata)
        except SafetensorError as error:  # which is how it reports a full disk
            number = OS_ERROR.search(str(error))
            known = number and (int(number[1]), os.strerror(int(number[1])))
            raise OSError(*(known or (str(error),))) from None

    write_durably(path, write)


def _metadata(state: SessionState, about: Mapping[str, Any], *, history: bool) -> dict[str, str]:
    data: dict[str, Any] = {"about": about}
    if history:
        data["origin"] = state.origin
        data["log"] = [entry.json() for entry in state.log]
    # A single entry, since safetensors writes several in no fixed order, which changes the hash.
    return {"ldam": json.dumps(data, sort_keys=True, allow_nan=False)}


def read_session(
    path: Path,
    device: Device | None = None,
    sha256: str | None = None,
    *,
    opener: Opener | None = None,
) -> SessionState:
    """Read a session; on the machine where it was saved, it continues bit for bit.

    Parameters
    ----------
    device
        Where to continue; None for the recorded device.
    sha256
        The expected hash of the file, if it is known.
    opener
        Opens the networks and the discriminator of the session.

    Raises
    ------
    StudioError
        If the file is missing, damaged or a different one, or weights are missing.
    """
    with enough_for(f"The session file {path}", "close other programs"):
        data = read_bytes(path, MOST_BYTES)
        require(
            f"The session file {path} needs", 2 * len(data), free_bytes(), "close other programs"
        )
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and digest != sha256:
        raise StudioError(
            f"{path} is not the session file that was written with the picture; restore the "
            "original file."
        )
    try:
        tensors = load(data)
        length = int.from_bytes(data[:8], "little")
        saved = json.loads(
            json.loads(data[8 : 8 + length])["__metadata__"]["ldam"], parse_constant=_refuse
        )
        state = from_tensors(tensors, saved["about"], device, opener)
        own = {"sidecar": {"file": path.name, "sha256": digest}}
        state.origin = with_lanes(saved.get("origin", own))
        log = [LogEntry(*entry) for entry in saved.get("log", [])]
        state.log = list(log_as_today(log)) if saved["about"]["version"] == 1 else log
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StudioError(f"The session file {path} is damaged; start a new session.") from None
    return state


def _refuse(constant: str) -> None:
    """Refuse NaN and infinities, which no session file has and no recipe can hold."""
    raise ValueError(constant)
