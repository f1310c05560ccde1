"""What is kept of the averages of a neuron, and of the modes they form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ldam_studio.explore.intervals import Interval
from ldam_studio.explore.modes.features import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class Observation:
    """The average of one chain from when it settled until it was melted, or until now.

    `first` and `last` are the steps at which it was first and last seen; `ended` is the step at
    which it was seen to be finished, None while the chain goes on. `settled` is False if the chain
    never was.
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

    @property
    def nbytes(self) -> int:
        """The memory that its vectors take."""
        return self.reduced.nbytes + (0 if self.features is None else self.features.nbytes)

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
        Its share of all averages of the neuron, with Wilson's interval; chains are the units.
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
    share: Interval
    count: int
    chains: tuple[int, ...]
    first: int
    last: int
    activation: float
    picture: NDArray[np.float16] | None = None


@dataclass
class Found:
    """What the chains of one neuron have found.

    `modes`, `fresh`, `typical` are the results of grouping, see `Grouped`. `pictures` are
    those of modes, `asked` the steps at which they were asked for, `forgotten` what is left out.
    """

    observations: dict[int, Observation] = field(default_factory=dict)
    modes: dict[Kind, dict[int, int]] = field(
        default_factory=lambda: {"pixels": {}, "features": {}}
    )
    fresh: dict[Kind, int] = field(default_factory=lambda: {"pixels": 1, "features": 1})
    typical: dict[Kind, tuple[int, ...]] = field(default_factory=dict)
    pictures: dict[tuple[Kind, int], NDArray[np.float16]] = field(default_factory=dict)
    asked: dict[tuple[Kind, int], int] = field(default_factory=dict)
    forgotten: set[tuple[Kind, int]] = field(default_factory=set)

    @property
    def nbytes(self) -> int:
        """The memory that its vectors and pictures take."""
        vectors = sum(each.nbytes for each in self.observations.values())
        return vectors + sum(picture.nbytes for picture in self.pictures.values())
