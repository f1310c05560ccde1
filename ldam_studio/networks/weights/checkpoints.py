"""Checkpoints: the weights files that a training run writes, and reading one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ldam_studio.errors import StudioError
from ldam_studio.files import opened
from ldam_studio.memory import TooLittleMemory
from ldam_studio.networks.weights.checkpoint_places import Natural
from ldam_studio.networks.weights.weights import enough_for_file, require_room, unpacked

Stamp = tuple[int, int, int]
"""Modification time in ns, size in bytes, and inode number of a file."""

Order = tuple[Natural, float, float, bool, int, str]

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
    run
        Key of the training run, by the folders above it; see `checkpoint_places.name_and_run`.
    after
        Epoch and step of the numbered checkpoint after which one without numbers was written.
    """

    path: Path
    stamp: Stamp
    epoch: float | None = None
    step: int | None = None
    loss: float | None = None
    accuracy: float | None = None
    shapes: Shapes | None = field(default=None, compare=False, repr=False)

    run: Natural = ()
    after: tuple[float, float] = field(default=(-1.0, -1.0), compare=False, repr=False)

    @property
    def is_numbered(self) -> bool:
        """Whether its step or epoch is known."""
        return self.step is not None or self.epoch is not None

    @property
    def number(self) -> tuple[float, float]:
        """Epoch and step, -1 where unknown. Some trainings count steps anew in each epoch."""
        epoch = -1.0 if self.epoch is None else float(self.epoch)
        return (epoch, -1.0 if self.step is None else float(self.step))

    @property
    def order(self) -> Order:
        """Sort key: by run, then epoch and step; others come where they were written."""
        number = self.number if self.is_numbered else self.after
        return (self.run, *number, not self.is_numbered, self.stamp[0], self.path.name)


def in_order(checkpoints: Iterable[Checkpoint]) -> tuple[Checkpoint, ...]:
    """Return checkpoints in their order, which those without numbers have among the others."""
    found = list(checkpoints)
    numbered = [c for c in found if c.is_numbered]

    def placed(one: Checkpoint) -> Checkpoint:
        before = [c.number for c in numbered if c.run == one.run and c.stamp[0] <= one.stamp[0]]
        return replace(one, after=max(before, default=(-1.0, -1.0)))

    placed_all = (one if one.is_numbered else placed(one) for one in found)
    return tuple(sorted(placed_all, key=lambda c: c.order))


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
        with enough_for_file(path), opened(path) as file:
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
