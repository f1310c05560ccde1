"""What the chains of one neuron have found: averages, and the modes that they form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ldam_studio.explore.intervals import share_of
from ldam_studio.explore.modes.observations import RECALLED, Mode, Observation
from ldam_studio.explore.modes.regrouping import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ldam_studio.explore.modes.features import Kind
    from ldam_studio.explore.modes.regrouping import Grouped

MOST_PICTURES = 24


@dataclass
class Found:
    """What the chains of one neuron have found.

    `mode_of` (the mode of each average), `fresh`, `typical` are the results of grouping, see
    `Grouped`. `pictures` are those of modes, `asked` the steps at which they were asked for,
    `forgotten` what is left out.
    """

    observations: dict[int, Observation] = field(default_factory=dict)
    mode_of: dict[Kind, dict[int, int]] = field(
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

    def task(self, neuron: str, kind: Kind) -> Task | None:
        """Return what there is to group; None without any average."""
        found = [
            (number, direction)
            for number, observation in self.observations.items()
            if (direction := observation.direction(kind)) is not None
        ]
        # Networks of other weights may have been compared at another number of channels.
        found = [each for each in found if len(each[1]) == len(found[-1][1])]
        if not found:
            return None
        numbers, directions = zip(*found, strict=True)
        return Task(
            neuron, kind, numbers, np.stack(directions), dict(self.mode_of[kind]), self.fresh[kind]
        )

    def take(self, found: Grouped) -> None:
        """Take in what grouping has found."""
        self.mode_of[found.kind] = dict(found.modes)
        self.fresh[found.kind] = max(self.fresh[found.kind], found.fresh)
        self.typical[found.kind] = found.typical

    def modes(self, kind: Kind) -> tuple[Mode, ...]:
        """Return the modes by their numbers."""
        members: dict[int, list[Observation]] = {}
        for number in self.typical.get(kind, ()):
            observation = self.observations.get(number)
            mode = self.mode_of[kind].get(number)
            if observation is None or mode is None or (kind, mode) in self.forgotten:
                continue
            members.setdefault(mode, []).append(observation)
        total = sum(o.chain != RECALLED for each in members.values() for o in each)
        return tuple(self._mode(kind, number, members[number], total) for number in sorted(members))

    def _mode(self, kind: Kind, number: int, members: Sequence[Observation], total: int) -> Mode:
        seen = sum(o.chain != RECALLED for o in members)
        activations = [o.activation for o in members if np.isfinite(o.activation)]
        return Mode(
            number=number,
            share=share_of(seen, total) if seen else None,
            count=seen,
            chains=tuple(o.chain for o in members if o.ended is None),
            first=min(o.first for o in members),
            last=max(o.last for o in members),
            activation=float(np.mean(activations)) if activations else np.nan,
            picture=self.pictures.get((kind, number)),
        )

    def shown(self, kind: Kind) -> tuple[Mode, ...]:
        """Return the modes that have pictures, by their numbers: at most `MOST_PICTURES`.

        These have most averages. Of equal ones, those that chains show now come first, then those
        that were found last.
        """
        every = self.modes(kind)
        if len(every) <= MOST_PICTURES:
            return every
        most = sorted(every, key=lambda m: (m.count, bool(m.chains), m.number), reverse=True)
        return tuple(sorted(most[:MOST_PICTURES], key=lambda mode: mode.number))
