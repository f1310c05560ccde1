"""The sentence in the export dialog that says whether the picture can be replayed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ldam_studio.engine.watching.process import KEPT_RUNS, runs_folder
from ldam_studio.networks.weights.checkpoints import stamp_of

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.weights.checkpoints import Checkpoint, Stamp

REPLAYED = "The picture carries its recipe, so that it can be replayed."

MANY_STEPS = 10_000  # about a quarter of an hour with a large network


Read = Callable[["Network"], Sequence["Checkpoint"]]


def recipe_note(
    networks: Sequence[Network],
    read_from: Read,
    steps: int = 0,
    overwritten: Collection[Path] = (),
) -> str:
    """Return whether a picture of `networks` can be replayed, and a warning if that takes long.

    Parameters
    ----------
    networks
        The networks in the picture.
    read_from
        Returns the checkpoints from which a network was read, as they were then; empty if unknown.
        For unknown ones, only the existence of the files is tested, because reading takes long.
    steps
        Number of steps that a replay takes.
    overwritten
        Files that a training overwrites, of which copies are written; see `kept_weights`.
    """
    files = [file for network in networks for file in _files_of(network, read_from)]
    copied = [path for path, _ in files if path in overwritten]
    if copied:
        what = "is overwritten by the training" if _holds(copied[0], None) else "is gone"
        return (
            f"{REPLAYED} {copied[0].name} {what}, so that its weights are written beside the "
            "picture."
        )
    for path, stamp in files:
        if not _holds(path, stamp):
            return (
                "The picture carries its recipe, but it cannot be replayed, because "
                f"{path.name} no longer holds the weights."
            )
    if any(path.is_relative_to(runs_folder()) for path, _ in files):
        return (
            f"{REPLAYED[:-1]} while its weights are kept: the cache keeps the last {KEPT_RUNS} "
            f"trainings.{_how_long(steps)}"
        )
    return REPLAYED + _how_long(steps)


def _how_long(steps: int) -> str:
    if steps < MANY_STEPS:
        return ""
    return f" A replay repeats all {steps:,} steps since the start of the chains."


def _files_of(network: Network, read_from: Read) -> list[tuple[Path, Stamp | None]]:
    known = read_from(network)
    if known:
        return [(checkpoint.path, checkpoint.stamp) for checkpoint in known]
    if network.provenance.mean_of:
        return [(file.weights, None) for file in network.provenance.mean_of]
    return [] if network.weights is None else [(network.weights, None)]


def _holds(path: Path, stamp: Stamp | None) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return stamp in (None, stamp_of(status))
