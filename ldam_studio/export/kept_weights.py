"""Weights in files that a training overwrites: a picture keeps a copy of its own beside it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from ldam_studio.engine.state import SessionState
from ldam_studio.export.references import references_in
from ldam_studio.files import is_regular
from ldam_studio.networks.network import Network
from ldam_studio.networks.weights.checkpoint_places import stays
from ldam_studio.networks.weights.suffixes import without_suffixes

SUFFIX = ".weights.safetensors"
NEWEST = re.compile(r"(^|[^a-z])(last|latest|newest|current)([^a-z]|$)", re.IGNORECASE)
"""Names that trainings give to the file that they overwrite with each checkpoint."""


@dataclass(frozen=True)
class Kept:
    """A session whose networks name copies of their weights, where these would be overwritten.

    Attributes
    ----------
    state
        The session; its networks are the same apart from what recipes say of them.
    files
        The copies to be written.
    overwritten
        The files in whose place they are named.
    relies
        Whether the log of the session names such a file, so that it cannot be replayed from its
        start.
    """

    state: SessionState
    files: Mapping[Path, bytes]
    overwritten: tuple[Path, ...]
    relies: bool


def keep_weights(state: SessionState, path: Path) -> Kept:
    """Return a session of which a picture at `path` can be replayed after the training goes on."""
    lost = overwritten_in(state)
    log = [state.origin, [entry.json() for entry in state.log]]
    relies = any(not lost.isdisjoint(_paths(reference)) for reference in references_in(log))
    files: dict[Path, bytes] = {}
    lanes, named = [], []
    for number, lane in enumerate(state.lanes):
        here = [file for file in _paths(lane.network.reference) if file in lost]
        data = _weights_of(lane.network) if here else None
        if data is not None:
            name = f"{path.stem}{f'-{number + 1}' if number else ''}{SUFFIX}"
            files[path.with_name(name)] = data
            lane = replace(lane, network=_with_file(lane.network, path.with_name(name), data))
            named += here
        lanes.append(lane)
    return Kept(replace(state, lanes=tuple(lanes)), files, tuple(dict.fromkeys(named)), relies)


def overwritten_in(state: SessionState) -> frozenset[Path]:
    """Return the files of a session's weights that do not stay as they were, or are gone.

    These had several contents in the session, or are named like a training's newest checkpoint; of
    a training that was watched also those without a number in their names.
    """
    contents: dict[Path, set[str]] = {}
    said = [state.origin, [entry.json() for entry in state.log]]
    current = [lane.network.reference for lane in state.lanes]
    for reference in references_in([said, current]):
        if isinstance(reference.get("weights"), str):
            contents.setdefault(Path(reference["weights"]), set()).add(str(reference["sha256"]))
    watched = {
        path
        for entry in state.log
        if entry.name == "weights"
        for path in _paths(entry.value)
        if not stays(path)
    }
    return frozenset(
        path
        for path, found in contents.items()
        if len(found) > 1
        or path in watched
        or NEWEST.search(without_suffixes(path.name))
        or not (path.is_dir() or is_regular(path))
    )


def _paths(reference: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the files of a network's weights, by its reference."""
    for part in (reference, *reference.get("mean_of", ())):
        if isinstance(part.get("weights"), str):
            yield Path(part["weights"])


def _weights_of(network: Network) -> bytes | None:
    """Return a network's weights as a safetensors file; None if not all are plain tensors."""
    own = network.module.state_dict()
    plain = all(
        isinstance(value, torch.Tensor) and value.layout == torch.strided and not value.is_quantized
        for value in own.values()
    )
    # Copied, since safetensors refuses weights that share their memory.
    return (
        save({n: v.detach().cpu().clone().contiguous() for n, v in own.items()}) if plain else None
    )


def _with_file(network: Network, path: Path, data: bytes) -> Network:
    """Return a network that is said to have been opened with a file of this content."""
    named = copy(network)
    named.provenance = replace(
        network.provenance,
        sha256=hashlib.sha256(data).hexdigest(),
        weights=path,
        weights_key=None,
        mean_of=(),
    )
    return named
