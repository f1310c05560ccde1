"""Reading and writing weights, safely: a file can say numbers, never run code."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.files import write_together

HINT = "give a .safetensors file or a state dict saved with torch.save"


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes, closed at once so that others may replace it."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise StudioError(f"There is no file {path}; check the path.") from None
    except OSError as error:
        raise StudioError(f"{path} cannot be read ({error.strerror}); check the path.") from None


def read_state_dict(path: Path) -> tuple[dict[str, Tensor], str]:
    """Read a state dict and the SHA-256 of its file.

    Raises
    ------
    StudioError
        If the file is missing, empty, truncated, or holds anything but tensors by name (a pickle
        with code in it is not run).
    """
    data = read_bytes(path)
    if not data:
        raise StudioError(f"The weights file {path} is empty; {HINT}.")
    if path.suffix == ".safetensors":
        try:
            state: object = load(data)
        except (SafetensorError, ValueError, KeyError):
            raise StudioError(
                f"The weights file {path} is damaged or not a safetensors file; copy it again."
            ) from None
    else:
        state = _unpickle_tensors(path, data)
    if not isinstance(state, dict) or not all(isinstance(t, Tensor) for t in state.values()):
        raise StudioError(f"{path} does not hold a state dict (tensors by name); {HINT}.")
    return state, hashlib.sha256(data).hexdigest()


def _unpickle_tensors(path: Path, data: bytes) -> object:
    try:
        with warnings.catch_warnings():
            # What torch thinks of the pickle's protocol is nothing to act on here.
            warnings.simplefilter("ignore")
            return torch.load(BytesIO(data), weights_only=True, map_location="cpu")
    except pickle.UnpicklingError:
        raise StudioError(
            f"{path} holds more than weights (or is damaged) and was not opened, because such a "
            "file can run code; save model.state_dict() instead."
        ) from None
    except Exception:
        # A damaged pickle can make torch's reader stumble over anything: index, assertion, struct.
        raise StudioError(f"The weights file {path} is damaged; {HINT}.") from None


def load_into(module: nn.Module, state: Mapping[str, Tensor], source: Path | str) -> None:
    """Load `state` into `module`, strictly.

    Raises
    ------
    StudioError
        If names or shapes differ (with the first of them), or weights are not finite.
    """
    own = module.state_dict()
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    if missing or unexpected:
        first = missing[0] if missing else unexpected[0]
        raise StudioError(
            f"{source} is for another architecture: {len(missing)} weights are missing and "
            f"{len(unexpected)} are unknown, the first is {first!r}; choose its own weights."
        )
    for name, value in state.items():
        if value.shape != own[name].shape:
            raise StudioError(
                f"{source} is for another architecture: {name!r} has shape {tuple(value.shape)}, "
                f"not {tuple(own[name].shape)}; choose its own weights."
            )
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise StudioError(f"{source} has weights that are not finite, in {name!r}.")
    module.load_state_dict(state)


def write_weights(path: Path, state: Mapping[str, Tensor], metadata: dict[str, str]) -> str:
    """Write tensors as safetensors, whole or not at all; returns the file's SHA-256."""
    data = save({k: v.detach().cpu().contiguous() for k, v in state.items()}, metadata)
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it, so that no half of it is ever seen.

    Raises
    ------
    StudioError
        If the folder cannot be written to or the disk is full; nothing is left behind.
    """
    write_together({path: data})
