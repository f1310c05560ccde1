"""Checkpoints as networks: one by itself, or the mean of several.

Jiang et al., arXiv 1812.04604, section 4, average a network's parameters over its training, and the
reference implementation looks at that moving average. Here it is the mean of the last checkpoints.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from ldam_studio.errors import StudioError, in_short
from ldam_studio.networks.checkpoints import Checkpoint, CheckpointError, read_checkpoint
from ldam_studio.networks.network import Network, WeightsFile
from ldam_studio.networks.state_dicts import candidates
from ldam_studio.networks.weights import not_finite, read_saved
from ldam_studio.training.averaging import ParameterAverage

KEPT_BYTES = 256_000_000  # of weights that were read, which the next mean may have, too

_Key = tuple[Path, tuple[int, int]]
_Weights = tuple[dict[str, Tensor], str]


def take(network: Network, checkpoints: Sequence[Checkpoint]) -> Network:
    """Return a network with the weights of a checkpoint, or with the mean of several.

    Parameters
    ----------
    checkpoints
        In order; the network is called by the last one's name.

    Raises
    ------
    CheckpointError
        If one of them cannot be read, is another architecture's, or has diverged.
    """
    return CheckpointReader(network).network(checkpoints)


def has_diverged(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint has a number that is none; `CheckpointError` if it cannot be read."""
    saved, _ = read_checkpoint(checkpoint)
    return any(_not_finite(tensors, checkpoint) is not None for _, tensors in candidates(saved))


def _not_finite(state: Mapping[str, Tensor], checkpoint: Checkpoint) -> str | None:
    try:
        return not_finite(state)
    except StudioError as error:
        raise CheckpointError("damaged", f"{checkpoint.path}: {error}") from None


def mean_of(network: Network, files: Sequence[WeightsFile]) -> Network:
    """Return a network with the mean of files' weights, as a picture's recipe lists them.

    Raises
    ------
    StudioError
        If one of them is missing, has changed, or is another architecture's.
    """
    states = []
    for file in files:
        saved, sha256 = read_saved(file.weights)
        if sha256 != file.sha256:
            raise StudioError(
                f"The weights {file.weights}, of which a mean was taken, have changed since; put "
                "the right file back."
            )
        states.append(network.weights_in(saved, file.weights))
    return network.twin(mean(states), *files)


class CheckpointReader:
    """Reads checkpoints as weights of a network, and remembers the last ones."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept: OrderedDict[_Key, _Weights] = OrderedDict()

    def network(self, checkpoints: Sequence[Checkpoint]) -> Network:
        """Return the network with their mean; `CheckpointError` if one will not do."""
        states, files = [], []
        for checkpoint in checkpoints:
            state, sha256 = self.read(checkpoint)
            states.append(state)
            files.append(WeightsFile(checkpoint.path, sha256))
        try:
            return self._network.twin(mean(states), *files)
        except StudioError as error:
            raise CheckpointError("shapes", str(error)) from None
        except Exception as error:  # of a person's own module
            raise CheckpointError(
                "shapes",
                f"{self._network.name} fails with {files[-1].weights} ({in_short(error)}); choose "
                "another checkpoint.",
            ) from None

    def read(self, checkpoint: Checkpoint) -> _Weights:
        """Return a checkpoint's weights by the network's names, and its SHA-256."""
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

    def _size(self) -> int:
        return sum(t.nbytes for state, _ in self._kept.values() for t in state.values())


def mean(states: Sequence[Mapping[str, Tensor]]) -> Mapping[str, Tensor]:
    """Return the mean of weights by the same names; one alone is as it is."""
    if len(states) == 1:
        return states[0]
    average = ParameterAverage()
    for state in states:
        average.take(state)
    return average.state_dict()
