"""Reading and writing weights, safely: a file can say numbers, never run code."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes, write_bytes
from ldam_studio.memory import enough_for, free_bytes, is_lack_of_memory, require
from ldam_studio.networks.anatomy.layers import all_tensors
from ldam_studio.networks.weights.archives import is_torchscript, more_than_weights
from ldam_studio.networks.weights.state_dicts import Match, best_match
from ldam_studio.networks.weights.suffixes import SAFETENSORS, is_safetensors

HINT = f"give a {SAFETENSORS} file or a state dict saved with torch.save"

TIMES_ITS_SIZE = 3
"""As much memory as a file takes at most while it is opened, measured: its bytes, the tensors in
them, and the network."""

SAVED = (b"PK", b"\x80")  # how what torch.save writes begins: an archive, or a pickle before 1.6


def require_room(path: Path) -> None:
    """See that a file's bytes and the tensors in them fit into memory; `StudioError` if not."""
    try:
        size = path.stat().st_size
    except OSError:
        return  # reading it says what is wrong
    needed = TIMES_ITS_SIZE * size
    require(f"The weights file {path} needs", needed, free_bytes(), "close other programs")


def enough_for_file(path: Path) -> AbstractContextManager[None]:
    """Turn a lack of memory while a file is read into a sentence."""
    return enough_for(f"The weights file {path}", "close other programs")


def read_saved(path: Path) -> tuple[dict[str, Any], str]:
    """Read what was saved, tensors by name at some depth, and the SHA-256 of its file.

    Raises
    ------
    StudioError
        If the file is missing, empty or truncated, or holds no dictionary (a pickle with code in it
        is not run).
    """
    require_room(path)
    with enough_for_file(path):
        data = read_bytes(path)
    return unpacked(path, data)


def unpacked(path: Path, data: bytes) -> tuple[dict[str, Any], str]:
    """Return what `read_saved` returns, from the bytes of the file at `path`."""
    if not data:
        raise StudioError(f"The weights file {path} is empty; {HINT}.")
    if is_safetensors(path):
        try:
            with enough_for_file(path):
                saved: object = load(data)
        except (SafetensorError, ValueError, KeyError):
            raise StudioError(
                f"The weights file {path} is damaged or not a safetensors file; copy it again."
            ) from None
    else:
        saved = _unpickle_tensors(path, data)
    if not isinstance(saved, dict):
        raise StudioError(f"{path} does not hold a state dict (tensors by name); {HINT}.")
    return saved, hashlib.sha256(data).hexdigest()


def _unpickle_tensors(path: Path, data: bytes) -> object:
    try:
        with warnings.catch_warnings(), enough_for_file(path):
            # What torch thinks of the pickle's protocol is nothing to act on here.
            warnings.simplefilter("ignore")
            return torch.load(BytesIO(data), weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        if not data.startswith(SAVED):
            raise StudioError(f"{path} is no weights file; {HINT}.") from None
        raise more_than_weights(path, data, error) from None
    except StudioError:
        raise
    except Exception:
        if is_torchscript(data):
            raise StudioError(
                f"{path} is a TorchScript program, not weights; in Python: model = torch.jit.load("
                "FILE), then torch.save(model.state_dict(), NEW_FILE)."
            ) from None
        # A damaged pickle can make torch's reader stumble over anything: index, assertion, struct.
        what = "damaged" if data.startswith(SAVED) else "no weights file"
        raise StudioError(f"{path} is {what}; {HINT}.") from None


def load_into(
    module: nn.Module,
    saved: Mapping[str, Any],
    source: Path | str,
    partial: bool = False,
    spare: tuple[str, ...] = (),
) -> Match:
    """Load the weights in `saved` into `module` and return what fitted; see `weights_for`.

    Raises
    ------
    StudioError
        If they do not fit, or are not finite.
    """
    match = weights_for(module, saved, source, partial, spare)
    check_finite(match.state, source)
    put_into(module, match.state)
    return match


def weights_for(
    module: nn.Module,
    saved: Mapping[str, Any],
    source: Path | str,
    partial: bool = False,
    spare: tuple[str, ...] = (),
) -> Match:
    """Find the weights of `module` in `saved`, whatever dictionaries and prefixes hold them.

    Parameters
    ----------
    partial
        Let weights be missing, and others have no place; some must fit.
    spare
        What begins the names of weights that may be missing, because they are not used.

    Raises
    ------
    StudioError
        If names or shapes differ (with numbers and the first of them).
    """
    match = best_match(saved, module, source)
    match = replace(match, missing=tuple(n for n in match.missing if not n.startswith(spare)))
    if not match.state or not (partial or match.complete):
        counts = [
            f"{len(names)} weights {what} (the first is {names[0]})"
            for names, what in (
                (match.missing, "are missing"),
                (match.unexpected, "are unknown"),
                (match.misshapen, "have another shape"),
            )
            if names
        ]
        part = ", or take the part that fits (--partial; in the dialog, a box to tick)"
        raise StudioError(
            f"{source} is for another architecture: {', '.join(counts)}; choose its own weights"
            f"{part if match.state else ''}."
        )
    return match


def put_into(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load weights by the module's own names; those of others stay."""
    state = OrderedDict(weights)
    # The names are today's, and modules that knew others ask for the version that says so.
    state._metadata = module.state_dict()._metadata  # type: ignore[attr-defined]
    module.load_state_dict(state, strict=False)


def check_finite(state: Mapping[str, Tensor], source: Path | str) -> None:
    """Raise `StudioError` if there is a weight that is not a finite number."""
    name = not_finite(state)
    if name is not None:
        raise StudioError(
            f"{source} has weights that are not finite, in {name!r}; give others (--weights)."
        )


def check_module(module: nn.Module, source: Path | str, image: Tensor | None) -> None:
    """Raise `StudioError` if a module has a weight that is not a number.

    Parameters must be finite, and what batch norms have seen not infinite; other buffers may be, as
    masks are. What is no number in a buffer, as a loss that is not known yet, does no harm unless
    the output is none either.

    Parameters
    ----------
    image
        What `module` takes, (1, C, H, W), at rest; None if that is not known.
    """
    check_finite(dict(module.named_parameters()), source)
    buffers = dict(module.named_buffers())
    seen = {n: b for n, b in buffers.items() if n.endswith(("running_mean", "running_var"))}
    others = {n: _without(b, torch.isinf) for n, b in buffers.items() if n not in seen}
    check_finite({n: _without(b, torch.isnan) for n, b in seen.items()}, source)
    suspects = seen | others
    if not_finite(suspects) is not None and not _gives_numbers(module, image):
        check_finite(suspects, source)


def _without(buffer: Tensor, which: Callable[[Tensor], Tensor]) -> Tensor:
    usual = buffer.is_floating_point() and buffer.layout == torch.strided
    return buffer.masked_fill(which(buffer), 0) if usual else buffer


def _gives_numbers(module: nn.Module, image: Tensor | None) -> bool:
    """Whether all that a module gives is finite, as far as can be told.

    It is in evaluation mode afterwards, as it is looked at.
    """
    if image is None:
        return True
    try:
        with torch.no_grad():
            output = module.eval()(image)
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        return True  # opening it says what fails
    return all(bool(t.isfinite().all()) for t in all_tensors(output))


def not_finite(state: Mapping[str, Tensor]) -> str | None:
    """Return the name of the first tensor with a value that is not a finite number, if any.

    Raises
    ------
    StudioError
        If a tensor's numbers cannot be looked at, because it is sparse or has none (meta).
    """
    for name, value in state.items():
        if not value.is_floating_point():
            continue
        if value.layout != torch.strided or value.is_meta:
            raise StudioError(
                f"The weights in {name!r} are not stored one by one (sparse or meta tensors); save "
                "them as plain tensors."
            )
        if not bool(value.isfinite().all()):
            return name
    return None


def write_weights(path: Path, state: Mapping[str, Any], metadata: dict[str, str]) -> str:
    """Write tensors as safetensors, whole or not at all; returns the file's SHA-256.

    What is no tensor, such as a module's extra state, is left out.
    """
    data = save(_apart(state), metadata)
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def _apart(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return tensors of which no two share memory, as safetensors wants them: tied ones twice."""
    found: dict[str, Tensor] = {}
    seen = set()
    for name, value in state.items():
        if not isinstance(value, Tensor):
            continue
        tensor = value.detach().cpu().contiguous()
        place = tensor.untyped_storage().data_ptr()
        found[name] = tensor.clone() if place in seen else tensor
        seen.add(place)
    return found
