"""The places of all chains on the wall, in device pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRect

from ldam_studio.gui.chain_table import crisp
from ldam_studio.gui.wall.arrangement import Arrangement, Metrics, arrange, fitting

Columns = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Sections:
    """How the sections of several networks divide the wall, each with the same arrangement."""

    count: int
    beside: bool  # whether they stand beside each other
    heading: int  # height of a section's title
    arrangement: Arrangement


@dataclass(frozen=True)
class Layout:
    """The rectangles of a wall; the origin is the top left corner of its content.

    Attributes
    ----------
    thumb
        Width and height of a thumbnail.
    corners
        The top left corners of the thumbnails, (sections, chains, 2).
    cells
        The column and the row of each chain in its section, (chains, 2).
    labels
        The places of labels, with the number of the column that each is for.
    headings
        The places of the sections' titles.
    size
        Width and height of the whole wall.
    """

    thumb: tuple[int, int]
    corners: NDArray[np.int64]
    cells: NDArray[np.int64]
    labels: tuple[tuple[QRect, int], ...]
    headings: tuple[QRect, ...]
    size: tuple[int, int]

    def thumb_of(self, chain: int, section: int = 0) -> QRect:
        """Return the rectangle of a chain's thumbnail."""
        x, y = self.corners[section, chain].tolist()
        return QRect(x, y, *self.thumb)

    def at(self, x: float, y: float) -> int | None:
        """Return the chain at a point; None if there is none."""
        found = self.within(QRect(int(x), int(y), 1, 1))
        return found[0] if found else None

    def within(self, part: QRect) -> list[int]:
        """Return the chains whose thumbnails touch a rectangle, in ascending order."""
        across, down = self.corners[..., 0], self.corners[..., 1]
        touched = (
            (across <= part.right())
            & (across + self.thumb[0] > part.left())
            & (down <= part.bottom())
            & (down + self.thumb[1] > part.top())
        )
        return [int(chain) for chain in np.flatnonzero(touched.any(0))]

    def between(self, one: int, other: int) -> list[int]:
        """Return the chains in the rectangle of which two chains are corners."""
        low, high = np.sort(self.cells[[one, other]], axis=0)
        inside = ((self.cells >= low) & (self.cells <= high)).all(1)
        return [int(chain) for chain in np.flatnonzero(inside)]

    def neighbour(self, chain: int, across: int, down: int) -> int:
        """Return the next chain in a direction; itself if there is none."""
        offset = self.cells - self.cells[chain]
        along = offset @ np.array([across, down])
        aside = np.abs(offset @ np.array([down, across]))
        ahead = np.flatnonzero((along > 0) & (aside == 0))
        return int(ahead[along[ahead].argmin()]) if len(ahead) else chain

    def nearest(self, x: float, y: float) -> tuple[int, int]:
        """Return the section and the chain whose thumbnail is nearest to a point."""
        middle = self.corners + np.array(self.thumb) / 2
        distance = ((middle - np.array([x, y])) ** 2).sum(-1)
        section, chain = np.unravel_index(distance.argmin(), distance.shape)
        return int(section), int(chain)


def divide(
    area: tuple[int, int],
    columns: int,
    length: int,
    image: tuple[int, int],
    metrics: Metrics,
    count: int = 1,
    heading: int = 0,
    *,
    all_fit: bool = False,
) -> Sections:
    """Divide the wall between `count` networks so that thumbnails are as large as possible.

    With `all_fit` nothing has to scroll, however small thumbnails become.
    """
    heading = heading if count > 1 else 0
    options = []
    for beside in (False, True)[: 1 + (count > 1)]:
        part = (
            (area[0] // count, area[1] - heading)
            if beside
            else (area[0], area[1] // count - heading)
        )
        found = (fitting if all_fit else arrange)(part, columns, length, image, metrics)
        options.append(Sections(count, beside, heading, found))
    return max(options, key=lambda each: each.arrangement.size)


def place(
    sections: Sections,
    columns: Columns,
    image: tuple[int, int],
    metrics: Metrics,
    area: tuple[int, int],
    zoom: float = 1.0,
) -> Layout:
    """Place all chains, enlarged by `zoom`; what is smaller than the area is centred in it."""
    made, longer = sections.arrangement, max(image)
    size = crisp(made.size * zoom, longer)
    made = replace(made, size=size)
    thumb = max(image[0] * size // longer, 1), max(image[1] * size // longer, 1)
    spaces = made.spaces(metrics)
    width = spaces[0] + made.beside * made.wide * thumb[0]
    height = spaces[1] + made.bands * made.rows * thumb[1] + sections.heading
    whole = (
        (width * sections.count, height) if sections.beside else (width, height * sections.count)
    )
    left, top = (max(0, (area[i] - whole[i]) // 2) for i in (0, 1))
    cells, corners, labels = _of_section(made, columns, thumb, metrics)
    origins = [
        (left + width * n, top) if sections.beside else (left, top + height * n)
        for n in range(sections.count)
    ]
    shifted = [corners + np.array([x, y + sections.heading]) for x, y in origins]
    return Layout(
        thumb,
        np.stack(shifted),
        cells,
        tuple(
            (part.translated(x, y + sections.heading), column)
            for x, y in origins
            for part, column in labels
        ),
        tuple(QRect(x + metrics.margin, y, width, sections.heading) for x, y in origins),
        whole,
    )


def _of_section(
    made: Arrangement, columns: Columns, thumb: tuple[int, int], metrics: Metrics
) -> tuple[NDArray[np.int64], NDArray[np.int64], Sequence[tuple[QRect, int]]]:
    """Return the chains' cells and corners in one section, and the labels of its columns."""
    chains = sum(map(len, columns))
    cells, corners = (np.zeros((chains, 2), np.int64) for _ in range(2))
    labels = []
    across, down = thumb[0] + metrics.gap, thumb[1] + metrics.gap
    pitch = made.wide * across + (metrics.apart if made.wide > 1 else 0)
    line = metrics.line if made.labels else 0
    band_height = made.rows * down + line + (metrics.apart if made.is_table else 0)
    for number, column in enumerate(columns):
        band, at = divmod(number, made.beside)
        left, top = metrics.margin + at * pitch, metrics.margin + band * band_height
        if made.labels:
            width = made.wide * across
            labels.append((QRect(left - metrics.gap // 2, top, width, line), number))
        for index, chain in enumerate(column):
            row, aside = divmod(index, made.wide)
            cells[chain] = at * made.wide + aside, band * made.rows + row
            corners[chain] = left + aside * across, top + line + row * down
    return cells, corners, labels
