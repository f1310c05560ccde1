"""Reading and writing weights safely: files are read as numbers; code in them is never run."""

from __future__ import annotations

import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ldam_studio.errors import StudioError, in_short
from ldam_studio.files import hash_of as hash_of_file
from ldam_studio.files import read_bytes, write_bytes
from ldam_studio.memory import enough_for, free_bytes, is_lack_of_memory, require
from ldam_studio.networks.anatomy.results import all_tensors
from ldam_studio.networks.weights.adapting import adapts, load, put
from ldam_studio.networks.weights.reading.formats import HEAD, UNKNOWN, format_of, tensors_of
from ldam_studio.networks.weights.reading.pickles import Unreadable
from ldam_studio.networks.weights.reading.shards import MOST_BYTES as MOST_OF_INDEX
from ldam_studio.networks.weights.reading.shards import (
    files_of,
    hash_of,
    read_shards,
    shards_in,
)
from ldam_studio.networks.weights.shown import shown
from ldam_studio.networks.weights.state_dicts import Match, best_match, sets_in
from ldam_studio.networks.weights.suffixes import SAFETENSORS, is_safetensors

HINT = f"give a {SAFETENSORS} file or a state dict saved with torch.save"

TIMES_ITS_SIZE = 3
"""The most memory that opening a file needs, as a multiple of the file's size, as measured: for its
bytes, its tensors, and the network."""


def require_room(*paths: Path) -> None:
    """Raise `StudioError` if the bytes and tensors of a file, or of its parts, do not fit."""
    try:
        size = sum(path.stat().st_size for path in paths)
    except OSError:
        return  # reading it reports what is wrong
    needed = TIMES_ITS_SIZE * size
    require(f"The weights file {paths[0]} needs", needed, free_bytes(), "close other programs")


def enough_for_file(path: Path) -> AbstractContextManager[None]:
    """Turn a lack of memory while reading a file into a `StudioError`."""
    return enough_for(f"The weights file {path}", "close other programs")


def read_saved(path: Path) -> tuple[dict[str, Any], str]:
    """Read a file's tensors by name, possibly in nested dictionaries, and its SHA-256.

    Raises
    ------
    StudioError
        If the file is missing, empty, truncated, or contains no dictionary. Code in it is not run.
    """
    require_room(path)
    with enough_for_file(path):
        data = read_bytes(path)
    return unpacked(path, data)


def unpacked(path: Path, data: bytes) -> tuple[dict[str, Any], str]:
    """Return what `read_saved` does, given the bytes of the file at `path`."""
    if not data:
        raise StudioError(f"The weights file {path} is empty; {HINT}.")
    try:
        with enough_for_file(path):
            shards = shards_in(data)
            if shards is not None:
                require_room(*files_of(path, shards))
                return read_shards(path, data, shards)
            return tensors_of(data), hashlib.sha256(data).hexdigest()
    except Unreadable as error:
        if is_safetensors(path) and format_of(data[:HEAD], len(data)) == UNKNOWN:
            raise StudioError(
                f"The weights file {path} is damaged or not a safetensors file; copy it again."
            ) from None
        new = path.with_name(f"{path.stem}-weights.pt")
        clause = str(error).replace("NEW_FILE", repr(str(new))).replace("FILE", repr(str(path)))
        raise StudioError(f"{path} {clause}{'.' if ';' in clause else f'; {HINT}.'}") from None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 by which `read_saved` knows a file, without reading its tensors.

    Raises
    ------
    StudioError
        If it cannot be read.
    """
    with contextlib.suppress(Unreadable, StudioError):
        data = read_bytes(path, MOST_OF_INDEX)  # an index is not larger
        if shards := shards_in(data):
            return hash_of(path, data, shards)
    return hash_of_file(path)


def load_into(
    module: nn.Module,
    saved: Mapping[str, Any],
    source: Path | str,
    partial: bool = False,
    spare: tuple[str, ...] = (),
    key: str | None = None,
) -> Match:
    """Load the weights in `saved` into `module` and return the match; see `weights_for`.

    Raises
    ------
    StudioError
        If they do not fit, or are not finite.
    """
    match = weights_for(module, saved, source, partial, spare, key)
    check_finite(match.state, source)
    misshapen = {each.partition(" ")[0] for each in match.misshapen}
    fits = {n: t for n, t in match.reading.given.items() if n not in misshapen}
    try:
        load(module, replace(match.reading, given=fits))
    except Exception as error:  # the user's own module may raise anything
        if is_lack_of_memory(error):
            raise
        raise StudioError(
            f"{source} does not load ({in_short(error)}); choose its own weights."
        ) from None
    return match


def weights_for(
    module: nn.Module,
    saved: Mapping[str, Any],
    source: Path | str,
    partial: bool = False,
    spare: tuple[str, ...] = (),
    key: str | None = None,
) -> Match:
    """Find the weights of `module` in `saved`, inside any dictionaries and under any prefix.

    Parameters
    ----------
    partial
        Accept missing and unknown weights, as long as some fit.
    spare
        Prefixes of weights that may be missing, because they are not used.
    key
        Dotted name of the set that is asked for; None for the one that fits best.

    Raises
    ------
    StudioError
        If names or shapes differ, or there is nothing under `key`.
    """
    match = best_match(saved, module, source, key)
    match = replace(match, missing=tuple(n for n in match.missing if not n.startswith(spare)))
    if not match.state or not (partial or match.complete):
        counts = [
            f"{len(names)} weights {what} (the first is {shown(names[0])})"
            for names, what in (
                (match.missing, "are missing"),
                (match.unexpected, "are unknown"),
                (match.misshapen, "have another shape"),
            )
            if names
        ]
        sets = sets_in(saved)
        has = ""
        if len(sets) > 1 and key is None:
            listed = f"{', '.join(sets[:-1])} and {sets[-1]}"
            has = f"; it has the sets of weights {listed}, of which --weights FILE::KEY takes one"
        part = ", or take the part that fits (--partial)"
        raise StudioError(
            f"{source} is for another architecture: {', '.join(counts)}{has}; choose its own "
            f"weights{part if match.state else ''}."
        )
    return match


def put_into(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load weights by the module's own names, in place; other weights are not changed."""
    if adapts(module):
        put(module, weights)
        return
    state = OrderedDict(weights)
    # Batch norms of torch check the version in this metadata.
    state._metadata = module.state_dict()._metadata  # type: ignore[attr-defined]
    module.load_state_dict(state, strict=False)


def check_finite(state: Mapping[str, Tensor], source: Path | str) -> None:
    """Raise `StudioError` if there is a weight that is not a finite number."""
    name = not_finite(state)
    if name is not None:
        raise StudioError(
            f"{source} has weights that are not finite, in {shown(name)!r}; give another file "
            "(--weights)."
        )


def check_module(module: nn.Module, source: Path | str, image: Tensor | None) -> None:
    """Raise `StudioError` if a module has weights that make its output useless.

    Parameters must be finite. Running statistics of batch norms must not be infinite; other buffers
    may be, for example masks. A NaN in a buffer, for example a loss that is not known yet, matters
    only if the module's output is not finite.

    Parameters
    ----------
    image
        An input of `module`, (1, C, H, W), of the rest colour; None if that is not known.
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
    """Return whether a module's output is finite; True if that cannot be found out.

    The module is left in evaluation mode.
    """
    if image is None:
        return True
    try:
        with torch.no_grad():
            output = module.eval()(image)
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        return True  # opening it reports the failure
    return all(bool(t.isfinite().all()) for t in all_tensors(output))


def not_finite(state: Mapping[str, Tensor]) -> str | None:
    """Return the name of the first tensor with a value that is not finite, if any.

    Raises
    ------
    StudioError
        If a tensor's values cannot be read, because it is sparse or a meta tensor.
    """
    for name, value in state.items():
        if not value.is_floating_point():
            continue
        if value.layout != torch.strided or value.is_meta:
            raise StudioError(
                f"The weights in {shown(name)!r} are sparse or meta tensors, which cannot be used; "
                "save them as dense tensors."
            )
        if not bool(value.isfinite().all()):
            return name
    return None


def write_weights(path: Path, state: Mapping[str, Any], metadata: dict[str, str]) -> str:
    """Write tensors as a safetensors file, all or nothing; return its SHA-256.

    Other objects, for example a module's extra state, are left out.
    """
    data = save(_apart(state), metadata)
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def _apart(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors, copied where two of them share memory, as safetensors requires."""
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
