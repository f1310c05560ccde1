"""Grouping images, or features of images, by their similarity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray

LENIENT = 1e-9
"""Rounding errors of a mean cosine, which do not keep two groups apart."""


def similarity(shapes: Tensor) -> Tensor:
    """Return the cosines (n, n) between `shapes` (n, C, H, W), differences from the rest colour."""
    directions = functional.normalize(shapes.flatten(1).double(), dim=1)
    return directions @ directions.T


def group(cosines: Tensor, least: float) -> list[list[int]]:
    """Group by average linkage: join the two most similar groups while they are similar enough.

    Parameters
    ----------
    cosines
        Cosines between any two of n items, (n, n), symmetric.
    least
        Two groups are joined if the mean cosine between their items is at least this.

    Returns
    -------
    The items of each group; groups are in the order of their first items.
    """
    return _members(_linked(1 - cosines.double().cpu().numpy(), least))


def group_directions(directions: NDArray[np.float32], least: float) -> list[list[int]]:
    """Group vectors of length 1 or 0, (n, d), by their cosines, as `group` does.

    Vectors of length 0 have no direction; they form one group of their own.
    """
    distances = 1.0 - directions @ directions.T
    blank = ~directions.any(1)
    distances[np.ix_(blank, blank)] = 0.0
    return _members(_linked(distances, least))


def _linked(distances: NDArray[np.floating], least: float) -> NDArray[np.int64]:
    """Return the number of each item's group, (n,), for cosine distances (n, n)."""
    count = len(distances)
    if count < 2:
        return np.zeros(count, np.int64)
    # scipy takes long to import, and the window has to start without it.
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    upper = squareform(distances, checks=False).astype(np.float64)
    tree = linkage(upper.clip(0.0, 2.0, out=upper), "average")
    found: NDArray[np.int64] = fcluster(tree, 1.0 - least + LENIENT, "distance")
    return found


def _members(numbers: NDArray[np.int64]) -> list[list[int]]:
    groups: dict[int, list[int]] = {}
    for item, number in enumerate(numbers.tolist()):
        groups.setdefault(number, []).append(item)
    return list(groups.values())


def matched(
    groups: Sequence[Sequence[int]], former: Mapping[int, int], fresh: int
) -> tuple[list[int], int]:
    """Give groups the numbers that most of their members had, so that mode 1 stays mode 1.

    Groups choose in the order of how many members they share with a former one. A group whose
    members are all new, or whose numbers are taken by others, gets the next number that was never
    used.

    Parameters
    ----------
    groups
        The items of each group.
    former
        The number that an item had, by item; new items are missing.
    fresh
        The least number that was never used.

    Returns
    -------
    The number of each group, and the least number that is not used by now.
    """
    shared: list[tuple[int, int, int]] = []
    for place, members in enumerate(groups):
        counts: dict[int, int] = {}
        for item in members:
            if item in former:
                counts[former[item]] = counts.get(former[item], 0) + 1
        shared += [(-count, number, place) for number, count in counts.items()]
    numbers: dict[int, int] = {}
    taken: set[int] = set()
    for _, number, place in sorted(shared):
        if place not in numbers and number not in taken:
            numbers[place] = number
            taken.add(number)
    # The largest of the new groups gets the first of the new numbers.
    for place in sorted(range(len(groups)), key=lambda p: (-len(groups[p]), p)):
        if place not in numbers:
            numbers[place] = fresh
            fresh += 1
    return [numbers[place] for place in range(len(groups))], fresh
