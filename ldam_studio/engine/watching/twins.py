"""Checkpoints that a training writes twice: under a number, and in a file that it overwrites."""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ldam_studio.networks.weights.checkpoint_folder import Listing
from ldam_studio.networks.weights.checkpoint_places import Natural, stays
from ldam_studio.networks.weights.checkpoints import Checkpoint, CheckpointError, Stamp

Read = Callable[[Checkpoint], tuple[Mapping[str, Tensor], str]]
_Key = tuple[Path, Stamp]


class Twins:
    """Finds the numbered checkpoint with the weights of an overwritten one, such as ``last.pth``.

    Their files may differ nevertheless, for example in the state of the optimizer. Each pair is
    compared once.

    Parameters
    ----------
    read
        Returns a checkpoint's weights and the hash of its file.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._same: dict[tuple[_Key, _Key], bool] = {}
        self._listed: Sequence[Checkpoint] = ()
        self._beside: dict[_Key, list[Checkpoint]] = {}

    def of(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return the numbered checkpoint with the same weights, else the checkpoint itself."""
        here = self._beside.get(_key(checkpoint), ())
        same = (other for other in here if self._same.get((_key(checkpoint), _key(other))))
        return next(same, checkpoint)

    def single(self, listing: Listing) -> Listing:
        """Return a listing in which overwritten checkpoints are skipped if they have a twin."""
        twins = {one: self.of(one) for one in listing.checkpoints if _key(one) in self._beside}
        same = {
            one.path: f"has the same weights as {other.path.name}"
            for one, other in twins.items()
            if other is not one
        }
        if not same:
            return listing
        rest = tuple(one for one in listing.checkpoints if one.path not in same)
        return replace(listing, checkpoints=rest, skipped={**listing.skipped, **same})

    def see(self, listed: Sequence[Checkpoint]) -> None:
        """Note which checkpoints there are."""
        if listed != self._listed:
            self._listed, self._beside = listed, _neighbours(listed)

    def compare(self, one: Checkpoint) -> bool:
        """Compare a checkpoint with those beside it; return whether there was anything to do."""
        others = self._beside.get(_key(one), ())
        new = [other for other in others if (_key(one), _key(other)) not in self._same]
        for other in new:
            try:
                same = _equal(self._read(one)[0], self._read(other)[0])
            except CheckpointError:
                same = False  # why it cannot be used is told when it is to be shown
            self._same[_key(one), _key(other)] = same
        return bool(new)

    def compare_next(self) -> bool:
        """Compare the next overwritten checkpoint; return whether there was one to compare."""
        return any(self.compare(one) for one in self._listed if _key(one) in self._beside)


def _key(checkpoint: Checkpoint) -> _Key:
    return checkpoint.path, checkpoint.stamp


def _neighbours(listed: Sequence[Checkpoint]) -> dict[_Key, list[Checkpoint]]:
    """Return, for overwritten checkpoints, the last numbered one before it and the first after it.

    Those are the last and the first of its run by their dates, since a training writes both files
    in one moment.
    """
    runs: dict[Natural, list[Checkpoint]] = defaultdict(list)
    overwritten = []
    for one in sorted(listed, key=lambda one: one.stamp[0]):
        if stays(one.path):
            runs[one.run].append(one)
        else:
            overwritten.append(one)
    found = {}
    for one in overwritten:
        others = runs[one.run]
        at = bisect(others, one.stamp[0], key=lambda other: other.stamp[0])
        if others:
            found[_key(one)] = others[max(at - 1, 0) : at + 1]
    return found


def _equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(t, other[n]) for n, t in one.items())
