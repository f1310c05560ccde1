"""Which panes of a session an animation shows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from ldam_studio.engine.description import SessionDescription
from ldam_studio.engine.picture import Floats
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.export.animation.composing import Group, Pane
from ldam_studio.export.shown import KINDS, OF_ONE, Shown

BOTH = "both"
SCREEN = 16 / 9
WHAT = {BOTH: "the front chain's raw sample beside its average", **KINDS}
"""What an animation can show."""


def panes_of(state: SessionState, what: str, shown: Shown) -> Group:
    """Return the panes of a session now; images without a sample yet have the rest colour.

    Parameters
    ----------
    what
        One of `WHAT`.
    shown
        Front chain, display, scale, and whether only the part is shown that the neuron sees.
    """
    kinds = ("raw", "average") if what == BOTH else (what,)
    rows = [[_pane(lane, kind, shown) for kind in kinds] for lane in state.lanes]
    return rows if what == BOTH else [[pane for row in rows for pane in row]]


def full_sizes(
    state: SessionState, end: SessionDescription, what: str, shown: Shown
) -> list[list[tuple[int, int]]]:
    """Return width and height of the panes of a session, when its images have their full size.

    Parameters
    ----------
    end
        The session as it will be; networks may be compared and chains be added on the way.
    """
    rows = panes_of(state, what, shown)
    pixels = state.lane.network.pixels
    if what in (*OF_ONE, BOTH):
        seen = rows[0][0].images.shape
        size = (seen[3], seen[2]) if shown.field else (pixels.width, pixels.height)
    else:
        most: Sequence[Hashable] = max(state.lane.neurons, end.lanes[0].neurons, key=len)
        across = chain_columns(most, (pixels.width, pixels.height))
        down = -(-len(most) // across)
        size = across * (pixels.width + 1) - 1, down * (pixels.height + 1) - 1
    lanes = max(len(state.lanes), len(end.lanes))
    return [[size] * 2] * lanes if what == BOTH else [[size] * lanes]


def chain_columns(neurons: Sequence[Hashable], image: tuple[int, int]) -> int:
    """Return the columns of a grid of chains: one for each neuron where they form a table.

    Animations and figures share this rule, but figures fold what would not fit on a page; `image`
    is the width and height of an image.
    """
    different = len(dict.fromkeys(neurons))
    is_table = all(neuron == neurons[n % different] for n, neuron in enumerate(neurons))
    if 1 < different < len(neurons) and is_table:
        return different
    return columns_of(len(neurons), image)


def columns_of(count: int, image: tuple[int, int]) -> int:
    """Return the columns of a grid of images (width, height) that is about as wide as a screen."""

    def unfit(columns: int) -> float:
        rows = -(-count // columns)
        ratio = columns * image[0] / (rows * image[1])
        return abs(math.log(ratio / SCREEN)) + 2 * (rows * columns / count - 1)

    return min(range(1, count + 1), key=unfit)


def _pane(lane: Lane, kind: str, shown: Shown) -> Pane:
    averaged = kind not in ("raw", "strip")
    front = min(shown.front, len(lane.neurons) - 1)
    chosen = [front]
    if kind not in OF_ONE:
        chosen = lane.own_chains if averaged else list(range(len(lane.neurons)))
    if averaged:
        average = lane.shown_average()
        images, empty = average.mean[chosen], average.count[chosen] == 0
        images = images.masked_fill(empty[:, None, None, None], lane.network.pixels.rest)
    else:
        images = lane.chains.x[chosen]
    if shown.field and (box := lane.targets.fields[front]) is not None:
        top, left, bottom, right = box
        images = images[..., top:bottom, left:right]
    values: Floats = images.detach().cpu().numpy().astype(np.float32)
    kept = "average" if averaged else "raw"
    pixels = lane.network.pixels
    neurons = [lane.neurons[chain] for chain in chosen]
    columns = chain_columns(neurons, (pixels.width, pixels.height))
    return Pane(values, pixels, shown.display, shown.scale, kept, columns)
