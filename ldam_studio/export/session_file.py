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
from safetensors.torch import save, save_file
from torch import Tensor

from ldam_studio.engine.changes.table import check_logged
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.description import parse, parse_session, with_lanes
from ldam_studio.engine.serialise import VERSION, from_tensors, to_tensors
from ldam_studio.engine.session import Opener
from ldam_studio.engine.state import LogEntry, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.former_log import log_as_today
from ldam_studio.export.places import with_read_places, with_written_places, written_name
from ldam_studio.export.recipe import Logged, SessionFile
from ldam_studio.export.tensors import tensors_in
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
    return save(*_parts(state, history=history, folder=folder))


def save_session(state: SessionState, path: Path, folder: Path | None = None) -> None:
    """Write a session with its history, for going on after a crash.

    Parameters
    ----------
    folder
        As in `session_bytes`.

    Raises
    ------
    StudioError
        If the file cannot be written.
    """
    write_durably(path, lambda to: stream_session(state, to, folder))


def stream_session(state: SessionState, path: Path, folder: Path | None = None) -> None:
    """Write a session with its history to a new file.

    The file is written as a stream, which holds no other thread up, however large it is.

    Parameters
    ----------
    folder
        As in `session_bytes`.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    tensors, metadata = _parts(state, history=True, folder=folder)
    try:
        save_file(tensors, path, metadata)
    except SafetensorError as error:  # which is how it reports a full disk
        number = OS_ERROR.search(str(error))
        known = number and (int(number[1]), os.strerror(int(number[1])))
        raise OSError(*(known or (str(error),))) from None


def _parts(
    state: SessionState, *, history: bool, folder: Path | None
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata of a session's file."""
    tensors, about = to_tensors(state)
    data: dict[str, Any] = {"about": about}
    if history:
        data["origin"] = state.origin
        data["log"] = [entry.json() for entry in state.log]
    if folder is not None:
        layers = [[written_name(name, folder), *rest] for name, *rest in about["checked_layers"]]
        data = with_written_places(data, folder)
        data["about"]["checked_layers"] = layers
    # A single entry, since safetensors writes several in no fixed order, which changes the hash.
    return tensors, {"ldam": json.dumps(data, sort_keys=True, allow_nan=False)}


def read_session(
    path: Path,
    device: Device | None = None,
    sha256: str | None = None,
    *,
    opener: Opener | None = None,
    folder: Path | None = None,
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
    folder
        As in `session_of`.

    Raises
    ------
    StudioError
        If the file is missing, damaged or a different one, or weights are missing.
    """
    with enough_for(f"The session file {path}", "close other programs"):
        data = read_bytes(path, MOST_BYTES)
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and digest != sha256:
        raise StudioError(
            f"{path} is not the session file that was written with the picture; restore the "
            "original file."
        )
    own = {"sidecar": {"file": path.name, "sha256": digest}}
    return session_of(data, path, device, opener=opener, folder=folder, own=own)


def session_of(
    data: bytes | memoryview,
    path: Path,
    device: Device | None = None,
    *,
    opener: Opener | None = None,
    folder: Path | None = None,
    own: Mapping[str, Any] | None = None,
) -> SessionState:
    """Return the session in the bytes of a safetensors file; see `read_session`.

    Parameters
    ----------
    path
        Where they were read, for what is said of them.
    folder
        The folder for which `session_bytes` wrote places of files; None if it did not.
    own
        The origin of a session without history.
    """
    needed = f"The session file {path} needs"
    require(needed, 2 * len(data), free_bytes(), "close other programs")
    try:
        with enough_for(f"The session file {path}", "close other programs"):
            tensors = tensors_in(data)
        saved = about_session(data)
        state = from_tensors(tensors, saved["about"], device, opener)
        if folder is not None:
            saved = with_read_places(saved, folder)
        state.origin = with_lanes(saved.get("origin", own))
        _check_origin(state.origin)
        log = [LogEntry(*entry) for entry in saved.get("log", [])]
        state.log = list(log_as_today(log)) if saved["about"]["version"] == 1 else log
        for entry in state.log:
            parse(entry.json(), Logged)
            check_logged(entry.name, entry.value)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StudioError(f"The session file {path} is damaged; start a new session.") from None
    return state


def about_session(data: bytes | memoryview) -> dict[str, Any]:
    """Return what a session file says beside its tensors: `about`, and its history if it has one.

    Raises
    ------
    ValueError, KeyError, TypeError, RecursionError
        If the file is damaged.
    StudioError
        If a later version of the program wrote it.
    """
    length = int.from_bytes(data[:8], "little")
    header = json.loads(bytes(data[8 : 8 + length]))
    saved: dict[str, Any] = json.loads(header["__metadata__"]["ldam"], parse_constant=_refuse)
    if saved["about"]["version"] > VERSION:
        raise StudioError(
            "The session was saved by a later version of LDAM Studio; update this one to open it."
        )
    return saved


def _check_origin(origin: Any) -> None:
    """Raise `StudioError` if a log cannot start like this."""
    if "sidecar" in origin:
        parse(origin["sidecar"], SessionFile)
    elif "at" not in origin:
        parse_session(origin)


def _refuse(constant: str) -> None:
    """Refuse NaN and infinities, which no session file has and no recipe can hold."""
    raise ValueError(constant)
