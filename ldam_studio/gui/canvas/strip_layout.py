"""Lays out the thumbnails of the chains; all sizes are in device pixels."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QRect

from ldam_studio.gui.chain_table import crisp


@dataclass(frozen=True)
class StripMetrics:
    """Sizes that depend on the font and the display, in device pixels.

    Parameters
    ----------
    margin, gap
        Space around the thumbnails and between them.
    line
        Height of a label.
    heading
        Width of the column with the rows' titles; 0 without titles.
    smallest, largest
        Limits for the longer side of a thumbnail.
    label
        Width of the widest label.
    """

    margin: int
    gap: int
    line: int
    heading: int
    smallest: int
    largest: int
    label: int = 0


@dataclass(frozen=True)
class StripLayout:
    """Rectangles of the thumbnails, labels and rows' titles, and the total size."""

    columns: int
    thumbs: tuple[QRect, ...]
    labels: tuple[QRect, ...]
    headings: tuple[QRect, ...]
    size: tuple[int, int]
    cells: tuple[tuple[int, int], ...] = ()  # column and row of each chain, where columns differ

    def at(self, x: float, y: float) -> int | None:
        """Return the chain whose thumbnail or label is at a point; None if there is none."""
        for index, (thumb, label) in enumerate(zip(self.thumbs, self.labels, strict=True)):
            if thumb.united(label).contains(int(x), int(y)):
                return index
        return None

    def neighbour(self, index: int, across: int, down: int) -> int:
        """Return the chain so many columns and rows away from a chain; itself if there is none."""
        if self.cells:
            column, row = self.cells[index]
            place = (column + across, row + down)
            return self.cells.index(place) if place in self.cells else index
        wanted = index + across + down * self.columns
        return wanted if 0 <= wanted < len(self.thumbs) else index


def fits_columns(width: int, columns: int, metrics: StripMetrics) -> bool:
    """Return whether the smallest thumbnails of so many columns fit into a width."""
    return 2 * metrics.margin + columns * (metrics.smallest + metrics.gap) <= width + metrics.gap


def lay_out_columns(
    area: tuple[int, int],
    columns: tuple[tuple[int, ...], ...],
    image: tuple[int, int],
    metrics: StripMetrics,
) -> StripLayout:
    """Lay out a table whose columns have the chains of one neuron each, below one label.

    Thumbnails are as large as the area permits; where that is smaller than the smallest size, the
    table is higher than the area and must be scrolled.
    """
    rows, count, longer = max(map(len, columns)), len(columns), max(image)
    spare = (
        area[0] - 2 * metrics.margin - (count - 1) * metrics.gap,
        area[1] - 2 * metrics.margin - metrics.line - (rows - 1) * metrics.gap,
    )
    fits = [spare[i] // (count, rows)[i] * longer // max(image[i], 1) for i in (0, 1)]
    size = crisp(min(max(min(fits), metrics.smallest), metrics.largest), longer)
    thumb = max(image[0] * size // longer, 1), max(image[1] * size // longer, 1)
    # What is left of the width moves columns apart, as far as their labels need.
    room = (area[0] - 2 * metrics.margin + metrics.gap) // count
    pitch = max(thumb[0] + metrics.gap, min(metrics.label + metrics.gap, room))
    width = 2 * metrics.margin + count * pitch - metrics.gap
    height = 2 * metrics.margin + metrics.line + rows * (thumb[1] + metrics.gap) - metrics.gap
    left = metrics.margin + max(0, (area[0] - width) // 2)
    top = metrics.margin + max(0, (area[1] - height) // 2)
    chains = sum(map(len, columns))
    thumbs, labels = [QRect()] * chains, [QRect()] * chains
    cells = [(0, 0)] * chains
    for column, members in enumerate(columns):
        slot = left + column * pitch
        x = slot + (pitch - metrics.gap - thumb[0]) // 2
        labels[members[0]] = QRect(slot - metrics.gap // 2, top, pitch, metrics.line)
        for row, chain in enumerate(members):
            y = top + metrics.line + row * (thumb[1] + metrics.gap)
            thumbs[chain], cells[chain] = QRect(x, y, *thumb), (column, row)
    size_of_all = max(width, 1), max(height, 1)
    return StripLayout(count, tuple(thumbs), tuple(labels), (), size_of_all, tuple(cells))


def _columns(width: int, chains: int, cell: int, metrics: StripMetrics) -> int:
    room = width - 2 * metrics.margin - metrics.heading + metrics.gap
    return max(1, min(chains, room // (cell + metrics.gap)))


def _needed(chains: int, columns: int, cell: int, rows: int, metrics: StripMetrics) -> int:
    """Return the height that thumbnails of height `cell` need."""
    if rows:
        return 2 * metrics.margin + metrics.line + rows * (cell + metrics.gap) - metrics.gap
    lines = -(-chains // columns)
    return 2 * metrics.margin + lines * (cell + metrics.line + metrics.gap) - metrics.gap


def lay_out(
    area: tuple[int, int],
    chains: int,
    image: tuple[int, int],
    rows: int,
    metrics: StripMetrics,
) -> StripLayout:
    """Lay out thumbnails of images (width, height) in an area (width, height).

    All thumbnails are as large as possible: a whole number of device pixels per image pixel, or
    smaller than the image if that does not fit. If not even the smallest size fits, the layout is
    higher than the area and must be scrolled. With `rows` the chains form a table with that many
    rows, whose columns share one label. In a single line, long labels increase the distance between
    chains.
    """
    chains = max(chains, 1)
    longer = max(image)
    whole = [longer * k for k in range(metrics.largest // longer, 0, -1)]
    parts = range(min(longer, metrics.largest + 1) - 1, metrics.smallest - 1, -1)
    sizes = [s for s in [*whole, *parts] if metrics.smallest <= s <= metrics.largest] or [longer]
    table = chains // rows if rows else 0
    for size in sizes:
        thumb = max(image[0] * size // longer, 1), max(image[1] * size // longer, 1)
        columns = table or _columns(area[0], chains, thumb[0], metrics)
        height = _needed(chains, columns, thumb[1], rows, metrics)
        wide = 2 * metrics.margin + metrics.heading + columns * (thumb[0] + metrics.gap)
        # A size that is not a whole multiple can leave some space above the label.
        spare = 0 if size % longer == 0 else metrics.gap // 2
        if height + spare <= area[1] and wide - metrics.gap <= area[0]:
            break
    pitch = thumb[0] + metrics.gap
    if columns == chains and not rows:
        room = (area[0] - 2 * metrics.margin + metrics.gap) // chains
        pitch = max(pitch, min(metrics.label + metrics.gap, room))
    width = 2 * metrics.margin + metrics.heading + columns * pitch - metrics.gap
    left = metrics.margin + metrics.heading + max(0, (area[0] - width) // 2)
    drop = 0 if rows else min(metrics.gap // 2, max(0, area[1] - height))
    top = max(0, (area[1] - height - drop) // 2) + metrics.margin
    thumbs, labels = [], []
    for index in range(chains):
        row, column = divmod(index, columns)
        slot = left + column * pitch
        x = slot + (pitch - metrics.gap - thumb[0]) // 2
        if rows:
            y = top + metrics.line + row * (thumb[1] + metrics.gap)
            label = QRect(x - metrics.gap // 2, top, pitch, metrics.line if row == 0 else 0)
        else:
            y = top + row * (thumb[1] + metrics.line + metrics.gap)
            label = QRect(slot - metrics.gap // 2, y + thumb[1] + drop, pitch, metrics.line)
        thumbs.append(QRect(x, y, *thumb))
        labels.append(label)
    headings = tuple(
        QRect(left - metrics.heading, thumbs[row * columns].top(), metrics.heading, thumb[1])
        for row in range(rows)
    )
    return StripLayout(
        columns, tuple(thumbs), tuple(labels), headings, (max(width, 1), max(height, 1))
    )
