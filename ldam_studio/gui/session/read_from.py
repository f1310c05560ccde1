"""Which checkpoints a network was read from, and what one is called in a few letters."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network
    from ldam_studio.networks.weights.checkpoints import Checkpoint


class ReadFrom:
    """Remembers the checkpoints of networks for as long as these are in use."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Network, tuple[Checkpoint, ...]] = WeakKeyDictionary()

    def note(self, network: Network, checkpoints: tuple[Checkpoint, ...]) -> None:
        """Remember what a network was read from, the newest checkpoint last."""
        self._known[network] = checkpoints

    def of(self, network: Network) -> tuple[Checkpoint, ...]:
        """Return the checkpoints, as they were when they were read; none where not known."""
        return self._known.get(network, ())


def name_of(checkpoint: Checkpoint) -> str:
    """Return a checkpoint's name in a few letters: its epoch, else its step, else its file."""
    if checkpoint.epoch is not None:
        return f"epoch {checkpoint.epoch:.4g}"
    if checkpoint.step is not None:
        return f"step {checkpoint.step:,}"
    return checkpoint.path.stem
