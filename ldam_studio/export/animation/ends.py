"""Animations whose end leads back to their beginning, for players that repeat them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from ldam_studio.engine.picture import Bytes

OVERLAP_S = 0.5
MOST_BYTES = 2**27  # of the pictures that are kept in memory for it


def overlap_of(size: tuple[int, int], frames_per_second: float) -> int:
    """Return how many frames fade where the ends of an animation meet: those of half a second.

    Large ones are fewer.
    """
    width, height = size
    fitting = MOST_BYTES // (6 * width * height)
    return max(1, min(round(OVERLAP_S * frames_per_second), fitting))


def with_meeting_ends(pictures: Iterable[Bytes], overlap: int) -> Iterator[Bytes]:
    """Yield pictures, of which the last ones fade into the first ones.

    The first pictures are shown in this way only, so that the animation is shorter by the overlap.
    Twice as many pictures as overlap are kept in memory.

    Parameters
    ----------
    pictures
        Pictures (H, W, 3) of one size.
    overlap
        How many pictures fade: 0 for none, at most a third of a short animation.
    """
    first: list[Bytes] = []
    last: deque[Bytes] = deque()
    begun = False
    for picture in pictures:
        if len(first) < overlap:
            first.append(picture)
            continue
        last.append(picture)
        if len(last) > overlap:
            begun = True
            yield last.popleft()
    if not begun:
        every = [*first, *last]
        overlap = min(overlap, len(every) // 3)
        end = len(every) - overlap
        yield from every[overlap:end]
        first, last = every[:overlap], deque(every[end:])
    for number, (end_picture, start) in enumerate(zip(last, first, strict=True), 1):
        yield _mixed(end_picture, start, number / (overlap + 1))


def _mixed(one: Bytes, other: Bytes, share: float) -> Bytes:
    """Return a picture between two, with this share of the other."""
    mixed = one + np.float32(share) * (other.astype(np.float32) - one)
    return mixed.round().astype(np.uint8)
