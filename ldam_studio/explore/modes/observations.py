"""What is kept of the averages of a neuron, and of the modes they form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldam_studio.explore.intervals import Interval
from ldam_studio.explore.modes.features import LEAST, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray


RECALLED = -1
"""In the place of a chain's number: a kept mode, which is no average of a chain and has no part in
the shares."""

ALIKE, CALM = 0.9, 5
"""Cosine of two looks at a chain that stays where it is, and looks after which it has stayed."""


@dataclass
class Observation:
    """The average of one chain from when it settled until it was melted, or until now.

    `first` and `last` are the steps at which it was first and last seen; `ended` is the step at
    which it was seen to be finished, None while the chain goes on. `settled` is False if the chain
    never was. `stirred` and `ended_by` are the steps before which the chain had last been stirred
    when it began and when it ended, see `Look`. `anchor` is what it looked like when it was `calm`
    for some looks. `chain` is `RECALLED` for a mode that was kept before the gallery was open.
    """

    number: int
    chain: int
    neuron: str
    first: int
    last: int
    samples: int
    settled: bool
    reduced: NDArray[np.float32]
    features: NDArray[np.float32] | None = None
    activation: float = np.nan
    ended: int | None = None
    stirred: int = -1
    ended_by: int = -1
    anchor: NDArray[np.float32] | None = None
    calm: int = 0

    @property
    def nbytes(self) -> int:
        """The memory that its vectors take."""
        vectors = (self.reduced, self.features, self.anchor)
        return sum(vector.nbytes for vector in vectors if vector is not None)

    def has_drifted(self, now: NDArray[np.float32]) -> bool:
        """Return whether the chain went on from an image at which it had stayed for some looks."""
        if self.reduced.shape != now.shape:
            return False
        self.calm = self.calm + 1 if float(self.reduced @ now) >= ALIKE else 0
        if self.anchor is None:
            if self.calm >= CALM:
                self.anchor = now
            return False
        return float(self.anchor @ now) < LEAST["pixels"]

    def direction(self, kind: Kind) -> NDArray[np.float32] | None:
        """Return what it is compared by; None if that is not known yet."""
        return self.reduced if kind == "pixels" else self.features


@dataclass(frozen=True)
class Mode:
    """One of the images that a neuron's chains have found.

    Attributes
    ----------
    number
        Its number, from 1, which it keeps.
    share
        Its share of all averages of the neuron, with Wilson's interval; chains are the units. None
        if no average has been seen, only what was kept before.
    count
        Its number of averages.
    chains
        The running chains that show it now, the most typical first.
    first, last
        The steps at which it was first and last seen.
    activation
        Mean of the chains' activations; NaN if none was measured.
    picture
        Mean of its averages, (C, H, W) in pixel units; None until it has arrived.
    """

    number: int
    share: Interval | None
    count: int
    chains: tuple[int, ...]
    first: int
    last: int
    activation: float
    picture: NDArray[np.float16] | None = None
