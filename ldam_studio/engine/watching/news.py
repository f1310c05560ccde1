"""What a watcher reports: the state of the place that it watches, and networks to continue with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ldam_studio.networks.network import Network
from ldam_studio.networks.weights.checkpoints import Checkpoint


@dataclass(frozen=True)
class News:
    """What a watcher knows about the place that it watches.

    Attributes
    ----------
    checkpoints
        The complete checkpoints, in order.
    skipped
        Other files, each with a short reason why it is skipped.
    troubles
        Complete checkpoints that cannot be used, each with a sentence that says why.
    notice
        A sentence about the place as a whole; empty if there is no problem.
    growing
        New files that are still being written.
    others
        Files that are certainly no weights, such as logs.
    shown
        The checkpoint that was handed over last.
    following
        Whether new checkpoints are handed over automatically.
    """

    checkpoints: tuple[Checkpoint, ...] = ()
    skipped: Mapping[Path, str] = field(default_factory=dict)
    troubles: Mapping[Path, str] = field(default_factory=dict)
    notice: str = ""
    growing: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    shown: Checkpoint | None = None
    following: bool = True


@dataclass(frozen=True)
class Swap:
    """A network for a running session to continue with.

    Attributes
    ----------
    checkpoint
        The requested checkpoint.
    network
        The network with its weights, or with the mean of the weights in `averaged`.
    averaged
        The checkpoints over which the mean is taken.
    seconds
        Time it took to prepare.
    """

    checkpoint: Checkpoint
    network: Network
    averaged: tuple[Checkpoint, ...]
    seconds: float
