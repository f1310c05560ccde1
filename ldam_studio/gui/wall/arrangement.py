"""How many chains stand beside each other on the wall; all sizes are in device pixels.

Each column has the chains of one neuron, or a single chain. Where columns would be too many for the
width, they continue in further *bands*; where they would be too long, each is several chains wide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Metrics:
    """Sizes that depend on the font and the display.

    Parameters
    ----------
    margin, gap, apart
        Space around all chains, between two of them, and more of it between columns and bands.
    line
        Height of a label.
    smallest
        Smallest size of a thumbnail that can be read; if not all chains fit then, they scroll.
    labelled
        Smallest size of a thumbnail that has a label of its own.
    """

    margin: int
    gap: int
    apart: int
    line: int
    smallest: int
    labelled: int


@dataclass(frozen=True)
class Arrangement:
    """A division of columns into bands.

    Attributes
    ----------
    columns, length
        Number of columns, and of chains in the longest.
    beside, wide
        Number of columns in a band, and of chains beside each other in a column.
    labels
        Whether there is a line of labels above each band.
    size
        Length of a thumbnail's longer side.
    """

    columns: int
    length: int
    beside: int
    wide: int
    labels: bool
    size: int = 0

    @property
    def bands(self) -> int:
        """The number of bands."""
        return -(-self.columns // self.beside)

    @property
    def rows(self) -> int:
        """The number of chains below each other in a band."""
        return -(-self.length // self.wide)

    @property
    def is_table(self) -> bool:
        """Whether columns have several chains."""
        return self.length > 1

    def spaces(self, metrics: Metrics) -> tuple[int, int]:
        """Return what is not thumbnails: in the width, and in the height."""
        across, down = self.beside * self.wide, self.bands * self.rows
        groups = (self.beside - 1) * metrics.apart if self.wide > 1 else 0
        width = 2 * metrics.margin + (across - 1) * metrics.gap + groups
        bands = (self.bands - 1) * (metrics.apart if self.is_table else 0)
        labels = self.bands * metrics.line if self.labels else 0
        return width, 2 * metrics.margin + (down - 1) * metrics.gap + bands + labels

    def fitted(
        self, area: tuple[int, int], image: tuple[int, int], metrics: Metrics
    ) -> Arrangement:
        """Return the arrangement with the largest thumbnails that fit, 0 if none does."""
        width, height = self.spaces(metrics)
        longer = max(image)
        across, down = self.beside * self.wide, self.bands * self.rows
        wide, high = (area[0] - width) // across, (area[1] - height) // down
        size = min(wide * longer // max(image[0], 1), high * longer // max(image[1], 1))
        return replace(self, size=max(size, 0))


def arrange(
    area: tuple[int, int],
    columns: int,
    length: int,
    image: tuple[int, int],
    metrics: Metrics,
) -> Arrangement:
    """Return the arrangement with the largest thumbnails of images (width, height) in an area.

    A table whose columns fit as they are is not divided. Where not even the smallest readable size
    fits, thumbnails have that size, and the wall is higher than the area.
    """
    columns, length = max(columns, 1), max(length, 1)
    table = length > 1
    if table:
        plain = Arrangement(columns, length, columns, 1, labels=True).fitted(area, image, metrics)
        if plain.size >= metrics.smallest:
            return plain
    found = fitting(area, columns, length, image, metrics)
    if found.size >= metrics.smallest:
        return found
    return _scrolled(area[0], columns, length, image, metrics)


def fitting(
    area: tuple[int, int],
    columns: int,
    length: int,
    image: tuple[int, int],
    metrics: Metrics,
) -> Arrangement:
    """Return the arrangement with the largest thumbnails with which all chains fit, if any."""
    columns, length = max(columns, 1), max(length, 1)
    found = max(
        (each.fitted(area, image, metrics) for each in _divisions(columns, length, labels=True)),
        key=lambda each: each.size,
    )
    if length == 1 and found.size < metrics.labelled:
        found = max(
            (each.fitted(area, image, metrics) for each in _divisions(columns, 1, labels=False)),
            key=lambda each: each.size,
        )
    return found


def _divisions(columns: int, length: int, *, labels: bool) -> Iterator[Arrangement]:
    for bands in range(1, columns + 1):
        for wide in range(1, length + 1):
            yield Arrangement(columns, length, -(-columns // bands), wide, labels)


def _scrolled(
    width: int, columns: int, length: int, image: tuple[int, int], metrics: Metrics
) -> Arrangement:
    """Return the arrangement of the smallest size that uses the whole width."""
    size = metrics.smallest
    pitch = max(size * image[0] // max(image), 1) + metrics.gap
    room = width - 2 * metrics.margin + metrics.gap
    across = max(1, room // pitch)
    if columns >= across or length == 1:
        return Arrangement(columns, length, min(columns, across), 1, length > 1, size)
    wide = 1
    while wide < length and columns * (pitch * (wide + 1) + metrics.apart) <= room:
        wide += 1
    return Arrangement(columns, length, columns, wide, labels=True, size=size)
