"""Checkpoints as networks: one by itself, or the mean of several.

Jiang et al., arXiv 1812.04604, section 4, average a network's parameters over its training, and the
reference implementation looks at that moving average. Here it is the mean of the last checkpoints.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.network import Network
from ldam_studio.networks.provenance import WeightsFile
from ldam_studio.networks.weights.checkpoints import (
    Checkpoint,
    CheckpointError,
    Shapes,
    Stamp,
    read_checkpoint,
)
from ldam_studio.networks.weights.state_dicts import largest_set
from ldam_studio.networks.weights.weights import not_finite, read_saved
from ldam_studio.training.averaging import ParameterAverage

KEPT_BYTES = 256_000_000  # limit for weights kept in memory, since the next mean may need them

_Key = tuple[Path, Stamp]
_Weights = tuple[dict[str, Tensor], str]


def take(network: Network, checkpoints: Sequence[Checkpoint]) -> Network:
    """Return a network with the weights of a checkpoint, or with the mean of several.

    Parameters
    ----------
    checkpoints
        In order; the network is named after the last one.

    Raises
    ------
    CheckpointError
        If one of them cannot be read, belongs to another architecture, or has diverged.
    """
    return CheckpointReader(network).network(reversed(checkpoints))


def has_diverged(checkpoint: Checkpoint) -> bool:
    """Return whether a checkpoint's weights contain NaN or infinity.

    Only its largest dictionary of tensors counts, since other values of a run may be infinite.

    Raises
    ------
    CheckpointError
        If it cannot be read.
    """
    saved, _ = read_checkpoint(checkpoint)
    return _not_finite(largest_set(saved), checkpoint) is not None


def _not_finite(state: Mapping[str, Tensor], checkpoint: Checkpoint) -> str | None:
    try:
        return not_finite(state)
    except StudioError as error:
        raise CheckpointError("damaged", f"{checkpoint.path}: {error}") from None


def mean_of(network: Network, files: Sequence[WeightsFile]) -> Network:
    """Return a network with the mean of the weights in several files, as a recipe lists them.

    Raises
    ------
    StudioError
        If one of them is missing, has changed, or belongs to another architecture.
    """

    def read(file: WeightsFile) -> Mapping[str, Tensor]:
        saved, sha256 = read_saved(file.weights)
        if sha256 != file.sha256:
            raise StudioError(
                f"The weights {file.weights} have changed since their mean was taken; restore the "
                "original file."
            )
        return network.weights_in(saved, file.weights)

    # In the order of a checkpoint reader, so that the result has the same bits.
    return network.twin(mean(read(file) for file in reversed(files)), *files)


class CheckpointReader:
    """Reads checkpoints as weights of a network, and keeps the last ones in memory."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept: OrderedDict[_Key, _Weights] = OrderedDict()
        self._misfits: dict[Shapes, str] = {}

    def network(self, checkpoints: Iterable[Checkpoint]) -> Network:
        """Return the network with the mean of checkpoints, the newest first.

        They are averaged as they are read, so that only one is in memory besides the mean and
        those that are kept.

        Raises
        ------
        CheckpointError
            If one of them cannot be used.
        """
        files: list[WeightsFile] = []

        def read(checkpoint: Checkpoint) -> Mapping[str, Tensor]:
            state, sha256 = self.read(checkpoint)
            files.insert(0, WeightsFile(checkpoint.path, sha256))
            return state

        weights = mean(read(checkpoint) for checkpoint in checkpoints)
        try:
            return self._network.twin(weights, *files)
        except StudioError as error:
            raise CheckpointError("shapes", str(error)) from None
        except Exception as error:  # the user's own module may raise anything
            raise CheckpointError(
                "gone" if is_lack_of_memory(error) else "shapes",
                f"{self._network.name} fails with {files[-1].weights} ({in_short(error)}); choose "
                "another checkpoint.",
            ) from None

    def read(self, checkpoint: Checkpoint) -> _Weights:
        """Return a checkpoint's weights by the network's parameter names, and its SHA-256."""
        key = (checkpoint.path, checkpoint.stamp)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        saved, sha256 = read_checkpoint(checkpoint)
        try:
            state = self._network.weights_in(saved, checkpoint.path)
        except StudioError as error:
            raise CheckpointError("shapes", str(error)) from None
        bad = _not_finite(state, checkpoint)
        if bad is not None:
            raise CheckpointError(
                "diverged",
                f"The training has diverged: {checkpoint.path} has weights that are not numbers, "
                f"in {bad!r}; choose an earlier checkpoint.",
            )
        self._kept[key] = (state, sha256)
        while len(self._kept) > 1 and self._size() > KEPT_BYTES:
            self._kept.popitem(last=False)
        return state, sha256

    def check_shapes(self, checkpoint: Checkpoint) -> None:
        """Check whether a checkpoint fits the network, without reading its weights if possible.

        Raises
        ------
        CheckpointError
            If it belongs to another architecture.
        """
        shapes = checkpoint.shapes
        if shapes is None:
            return
        if shapes not in self._misfits:
            self._misfits[shapes] = self._misfit(shapes)
        if self._misfits[shapes]:
            raise CheckpointError("shapes", f"{checkpoint.path}{self._misfits[shapes]}")

    def _misfit(self, shapes: Shapes) -> str:
        """Return why tensors of these shapes do not fit, as a sentence without the file's name."""
        try:
            # A header's shapes do not say whether unknown ones are weights; as whole numbers they
            # count as none.
            nothing = torch.zeros((), dtype=torch.int64)
            hollow = {name: nothing.expand(shape) for name, shape in shapes}
            self._network.weights_in(hollow, Path())
        except StudioError as error:
            return str(error).removeprefix(str(Path()))
        except Exception:  # impossible sizes: reading the file tells what is wrong
            return ""
        return ""

    def _size(self) -> int:
        return sum(t.nbytes for state, _ in self._kept.values() for t in state.values())


def mean(states: Iterable[Mapping[str, Tensor]]) -> Mapping[str, Tensor]:
    """Return the mean of one or more state dicts with the same names; one alone is unchanged."""
    each = iter(states)
    alone: Mapping[str, Tensor] | None = next(each)
    average = ParameterAverage()
    for state in each:
        if alone is not None:
            average.take(alone)
            alone = None
        average.take(state)
    return average.state_dict() if alone is None else alone
