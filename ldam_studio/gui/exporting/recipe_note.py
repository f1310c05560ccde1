"""What the dialog for exports says of a picture's recipe: whether it will lead to the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ldam_studio.engine.watching.process import KEPT_RUNS, runs_folder
from ldam_studio.networks.weights.checkpoints import stamp_of

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.weights.checkpoints import Checkpoint, Stamp

REPLAYED = "The recipe travels in the picture, so that it can be replayed."

MANY_STEPS = 10_000  # about a quarter of an hour of a large network, and no wait for a small one


Read = Callable[["Network"], Sequence["Checkpoint"]]


def recipe_note(networks: Sequence[Network], read_from: Read, steps: int = 0) -> str:
    """Say whether a picture of `networks` can be replayed, and where that takes long.

    Parameters
    ----------
    steps
        How many a replay takes.
    read_from
        Gives the checkpoints that a network was read from, as they were then; none where that is
        not known. Then only that its files are there is looked for: to read them may take long.
    """
    files = [file for network in networks for file in _files_of(network, read_from)]
    for path, stamp in files:
        if not _holds(path, stamp):
            return (
                "The recipe travels in the picture, but it cannot be replayed from that alone: "
                f"{path.name} no longer holds the weights."
            )
    if any(path.is_relative_to(runs_folder()) for path, _ in files):
        return (
            f"{REPLAYED[:-1]} while its weights are kept: those of the last {KEPT_RUNS} trainings "
            f"stay in the cache.{_how_long(steps)}"
        )
    return REPLAYED + _how_long(steps)


def _how_long(steps: int) -> str:
    if steps < MANY_STEPS:
        return ""
    return f" A replay takes all {steps:,} steps since the start of the chains."


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
