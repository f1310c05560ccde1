"""Checkpoints: the weights files that a training run writes, and reading one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ldam_studio.errors import StudioError
from ldam_studio.memory import TooLittleMemory
from ldam_studio.networks.weights.suffixes import WEIGHTS_SUFFIXES, is_weights
from ldam_studio.networks.weights.weights import enough_for_file, require_room, unpacked

Stamp = tuple[int, int, int]
"""Modification time in ns, size in bytes, and inode number of a file."""

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""Names of tensors with their shapes."""


@dataclass(frozen=True)
class Checkpoint:
    """A weights file, and the state of the training when it was written.

    Attributes
    ----------
    stamp
        Distinguishes the file from another one that replaced it.
    epoch, step, loss, accuracy
        From the file's metadata, else from its name; None if neither has it. Accuracy is a share.
    shapes
        Shapes of its tensors; None if they are known only after reading it.
    """

    path: Path
    stamp: Stamp
    epoch: float | None = None
    step: int | None = None
    loss: float | None = None
    accuracy: float | None = None
    shapes: Shapes | None = field(default=None, compare=False, repr=False)

    @property
    def order(self) -> tuple[float, float, int, str]:
        """Sort key: by step or epoch; files without either come in the order of writing."""
        known = -1.0 if self.epoch is None else float(self.epoch)
        step = -1.0 if self.step is None else float(self.step)
        return (step, known, self.stamp[0], self.path.name)


class CheckpointError(StudioError):
    """A checkpoint cannot be used; `kind` says why.

    ``"gone"``: it cannot be read now, for example because there is too little memory;
    ``"changed"``: it was overwritten while it was read; ``"damaged"``: it is not a weights file;
    ``"shapes"``: its weights belong to another architecture; ``"diverged"``: they are not finite.
    """

    def __init__(
        self,
        kind: Literal["gone", "changed", "damaged", "shapes", "diverged"],
        sentence: str,
    ) -> None:
        super().__init__(sentence)
        self.kind = kind


def check_kind(place: Path) -> None:
    """Raise `StudioError` if a place is a file, but not a weights file."""
    if place.is_file() and not is_weights(place):
        endings = ", ".join(WEIGHTS_SUFFIXES)
        raise StudioError(f"{place.name} is not a checkpoint; their names end in {endings}.")


def read_checkpoint(checkpoint: Checkpoint) -> tuple[dict[str, Any], str]:
    """Read a checkpoint into memory and close its file, so that its writer may replace it.

    Returns
    -------
    The file's content (tensors by name, perhaps in nested dictionaries) and its SHA-256.

    Raises
    ------
    CheckpointError
        If it is gone, damaged, or was replaced since it was listed.
    """
    path = checkpoint.path
    try:
        require_room(path)
        with enough_for_file(path), open(path, "rb") as file:
            before = stamp_of(os.fstat(file.fileno()))
            data = file.read() if before == checkpoint.stamp else b""
            after = stamp_of(os.fstat(file.fileno()))
    except OSError as error:
        raise CheckpointError(
            "gone", f"The checkpoint {path} cannot be read ({error.strerror}); choose another."
        ) from None
    except StudioError as error:
        raise CheckpointError("gone", str(error)) from None
    if not before == after == checkpoint.stamp:
        raise CheckpointError(
            "changed", f"The checkpoint {path} was overwritten just now; choose it again."
        )
    try:
        return unpacked(path, data)
    except TooLittleMemory as error:
        raise CheckpointError("gone", str(error)) from None
    except StudioError as error:
        raise CheckpointError("damaged", str(error)) from None


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what distinguishes a file from another one at the same path, see `Checkpoint`."""
    return (status.st_mtime_ns, status.st_size, status.st_ino)
