"""A whole session in one safetensors file: beside a picture whose log would be too long for it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.description import with_lanes
from ldam_studio.engine.serialise import from_tensors, to_tensors
from ldam_studio.engine.session import Opener
from ldam_studio.engine.state import LogEntry, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes

SUFFIX = ".ldam-session.safetensors"


def session_bytes(state: SessionState, *, history: bool) -> bytes:
    """Return a session as the bytes of a safetensors file.

    Parameters
    ----------
    history
        With the log and its origin, so that a picture exported after reopening can be replayed
        from the start; without, the file is where a log begins anew.
    """
    tensors, about = to_tensors(state)
    data: dict[str, Any] = {"about": about}
    if history:
        data["origin"] = state.origin
        data["log"] = [entry.json() for entry in state.log]
    # One entry on purpose: safetensors writes several in no fixed order, and hashes would differ.
    return save(tensors, {"ldam": json.dumps(data, sort_keys=True, allow_nan=False)})


def read_session(
    path: Path,
    device: Device | None = None,
    sha256: str | None = None,
    *,
    opener: Opener | None = None,
) -> SessionState:
    """Read a session; it goes on bit for bit on the machine it was saved on.

    Parameters
    ----------
    device
        Where to go on; None for the device that is described.
    sha256
        What the file's hash must be, if that is known.
    opener
        Opens the networks and the discriminator that it names.

    Raises
    ------
    StudioError
        If the file is missing, damaged, or not the one that is meant, or weights are missing.
    """
    data = read_bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and digest != sha256:
        raise StudioError(f"{path} is not the session file that belongs to the picture.")
    try:
        tensors = load(data)
        length = int.from_bytes(data[:8], "little")
        saved = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["ldam"])
        state = from_tensors(tensors, saved["about"], device, opener)
        own = {"sidecar": {"file": path.name, "sha256": digest}}
        state.origin = with_lanes(saved.get("origin", own))
        state.log = [LogEntry(*entry) for entry in saved.get("log", [])]
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError):
        raise StudioError(f"The session file {path} is damaged; start a new session.") from None
    return state
