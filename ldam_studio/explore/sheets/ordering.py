"""The orders of a contact sheet: by number, activation, similarity or convergence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ldam_studio.engine.picture import Bytes, Floats
from ldam_studio.explore.sheets.rows import SheetRow

SIDE = 32
"""Pictures are compared at this many pixels of a side."""
PIXELS = 0.5
"""Weight of the pixels beside that of their frequencies."""
MOST_OPTIMAL = 400
"""Largest number of pictures whose tree is turned so that neighbours are most alike. Other threads
wait for that, with more of them for more than the .05 s that a window may stand still."""

ORDERS = {
    "index": "Number",
    "activation": "Activation",
    "similarity": "Similarity",
    "convergence": "Convergence",
}
"""The orders by name, with their titles."""


def ordered(order: str, rows: Sequence[SheetRow], pictures: Sequence[Bytes]) -> list[int]:
    """Return the positions of `rows` in one of `ORDERS`.

    By number they stay as they are; the highest activation comes first; similar pictures are
    neighbours; what converged first comes first, what has not converged last, and silent neurons
    are at the end of both.
    """
    places = range(len(rows))
    if order == "similarity":
        return by_similarity(pictures)
    keys: dict[str, Callable[[int], tuple[float, ...]]] = {
        "index": lambda i: (i,),
        "activation": lambda i: (rows[i].silent, -rows[i].activation),
        "convergence": lambda i: (
            rows[i].silent,
            not rows[i].converged,
            rows[i].steps,
            -(rows[i].agreement or 0.0),
        ),
    }
    return sorted(places, key=keys[order])


def by_similarity(pictures: Sequence[Bytes]) -> list[int]:
    """Return the positions of pictures (H, W, 3) so that similar ones are neighbours.

    They are the leaves of a tree of clusters (average linkage) by the cosine of `traits`.
    """
    if len(pictures) < 3:
        return list(range(len(pictures)))
    # Imported here, because it takes a while.
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    found = np.stack([traits(picture) for picture in pictures])
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    apart = (1 - found @ found.T).clip(0)
    np.fill_diagonal(apart, 0)
    condensed = squareform(apart, checks=False)
    tree = linkage(condensed, "average")
    if len(pictures) <= MOST_OPTIMAL:
        tree = optimal_leaf_ordering(tree, condensed)
    return [int(leaf) for leaf in leaves_list(tree)]


def traits(picture: Bytes) -> Floats:
    """Return what pictures are compared by, one vector of a picture (H, W, 3).

    It has the pixels as distances from mid-grey and, with more weight, the amplitude of each of
    their frequencies, which is equal for a stripe and the same stripe moved aside.
    """
    small = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX)
    pixels = np.asarray(small, np.float32) / 255 - 0.5
    amplitude = np.abs(np.fft.rfft2(pixels, axes=(0, 1)))
    parts = [PIXELS * _unit(pixels.ravel()), _unit(amplitude.ravel())]
    return np.concatenate(parts).astype(np.float32)


def _unit(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return a vector of length 1; one of zeros has equal values instead, so that it has one."""
    norm = float(np.linalg.norm(values))
    if norm > 0:
        return values / norm
    return np.full_like(values, len(values) ** -0.5)
