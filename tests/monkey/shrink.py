"""Finds a short sequence of actions that still fails: delta debugging after Zeller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shrink(actions: Sequence[T], fails: Callable[[list[T]], bool], most: int = 40) -> list[T]:
    """Return a part of the actions, in their order, that fails, too.

    Parameters
    ----------
    actions
        A sequence that fails.
    fails
        Plays a sequence and returns whether it fails.
    most
        The number of sequences that are tried at most.
    """
    kept, parts = list(actions), 2
    while len(kept) > 1 and most > 0:
        size = -(-len(kept) // parts)
        for start in reversed(range(0, len(kept), size)):
            # What failed is at the end, so earlier actions are the more likely to be of no use.
            rest = kept[: max(len(kept) - start - size, 0)] + kept[len(kept) - start :]
            most -= 1
            if rest and fails(rest):
                kept, parts = rest, max(parts - 1, 2)
                break
            if most <= 0:
                break
        else:
            if size == 1:
                break
            parts = min(parts * 2, len(kept))
    return kept
