"""Grouping the averages of a neuron, on any thread, so that modes keep their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldam_studio.explore.modes.features import LEAST, Kind
from ldam_studio.explore.modes.grouping import group_directions, matched

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Task:
    """The averages of a neuron that are to be grouped, copied for another thread."""

    neuron: str
    kind: Kind
    numbers: tuple[int, ...]
    directions: NDArray[np.float32]
    former: Mapping[int, int]
    fresh: int


@dataclass(frozen=True)
class Grouped:
    """What grouping has found: the number of each average's mode."""

    neuron: str
    kind: Kind
    modes: Mapping[int, int]
    typical: tuple[int, ...]
    fresh: int


def grouped(task: Task) -> Grouped:
    """Group the averages of a neuron; modes keep their numbers. May be called on any thread."""
    groups = group_directions(task.directions, LEAST[task.kind])
    former = {
        place: task.former[number]
        for place, number in enumerate(task.numbers)
        if number in task.former
    }
    found, fresh = matched(groups, former, task.fresh)
    modes: dict[int, int] = {}
    typical: list[int] = []
    for number, members in zip(found, groups, strict=True):
        for place in _typical_first(members, task.directions):
            modes[task.numbers[place]] = number
            typical.append(task.numbers[place])
    return Grouped(task.neuron, task.kind, modes, tuple(typical), fresh)


def _typical_first(members: Sequence[int], directions: NDArray[np.float32]) -> Sequence[int]:
    """Return the members of a group, those that are most like all others first."""
    if len(members) < 3:
        return members
    own = directions[members]
    order = np.argsort(-(own @ own.mean(0)), kind="stable")
    return [members[place] for place in order.tolist()]
