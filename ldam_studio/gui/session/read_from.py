"""Remembers the checkpoints from which each network was read, and gives them short names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from torch import nn

    from ldam_studio.networks.network import Network
    from ldam_studio.networks.weights.checkpoints import Checkpoint


class ReadFrom:
    """Remembers the checkpoints of each network for as long as its module exists."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[nn.Module, tuple[Checkpoint, ...]] = WeakKeyDictionary()

    def note(self, network: Network, checkpoints: tuple[Checkpoint, ...]) -> None:
        """Remember the checkpoints from which a network was read, the newest last."""
        self._known[network.module] = checkpoints

    def of(self, network: Network) -> tuple[Checkpoint, ...]:
        """Return a network's checkpoints, as they were when they were read; empty if unknown."""
        return self._known.get(network.module, ())


def name_of(checkpoint: Checkpoint) -> str:
    """Return a checkpoint's short name: its epoch, else its step, else the name of its file."""
    if checkpoint.epoch is not None:
        return f"epoch {checkpoint.epoch:.4g}"
    if checkpoint.step is not None:
        return f"step {checkpoint.step:,}"
    return checkpoint.path.stem
