"""Many chains beside each other: whether they form a table, and which size is crisp."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

CRISP = 0.85  # share of the size that fits from which a whole multiple of the image is preferred
MOST_COLUMNS = 200
"""Neurons beside each other; more would be columns that nobody can tell apart."""


def columns_of(neurons: Sequence[Hashable]) -> tuple[tuple[int, ...], ...]:
    """Return the chains of each column, if chains form a table; empty if they do not.

    A table has several neurons, each with several chains, and columns that differ by one at most.
    The columns are in the order in which the neurons first appear, and so are the chains in them.
    """
    found: dict[Hashable, list[int]] = {}
    for chain, neuron in enumerate(neurons):
        found.setdefault(neuron, []).append(chain)
    lengths = {len(column) for column in found.values()}
    if not 1 < len(found) <= MOST_COLUMNS or max(lengths) < 2 or max(lengths) - min(lengths) > 1:
        return ()
    return tuple(map(tuple, found.values()))


def crisp(size: float, longer: int) -> int:
    """Return a size near `size` at which pixels of an image are whole, if there is one."""
    whole = int(size // longer) * longer
    return whole if whole and whole >= CRISP * size else max(int(size), 1)
