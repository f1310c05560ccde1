"""Lays out the canvas: panes, their titles, and the line with pixel values, in device pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from PyQt6.QtCore import QRect
from PyQt6.QtGui import QFontMetricsF

from ldam_studio.gui.canvas.viewport import Viewport, extent, fit_part, fit_scale, keep_visible


@dataclass(frozen=True)
class Metrics:
    """Sizes that depend on the font and the display, in device pixels.

    Parameters
    ----------
    margin
        Space around all panes.
    gap
        Space between two panes.
    line
        Height of a line of text, spacing included.
    narrowest
        Minimum width of a pane, for its title.
    """

    margin: int
    gap: int
    line: int
    narrowest: int

    @classmethod
    def of(cls, text: QFontMetricsF, ratio: float, *, close: bool = False) -> Metrics:
        """Return the sizes for a font on a display with `ratio` device pixels per logical pixel.

        With `close` the spaces are smaller, to make room for two rows of panes.
        """
        widest = text.horizontalAdvance("Running average") * 1.1 + text.averageCharWidth() * 14
        return cls(
            margin=round((6 if close else 16) * ratio),
            gap=round((12 if close else 20) * ratio),
            line=round((text.height() + (7 if close else 12)) * ratio),
            narrowest=round(widest * ratio),
        )


Cells = tuple[tuple[int, float], ...]
"""The column and the row of each pane; a fraction places a pane between two rows."""

ONE_LANE: Cells = ((0, 0.0), (1, 0.0))
"""Raw sample and average."""

STACKED: Cells = ((0, 0.0), (0, 1.0))
"""The same one above the other, where that leaves more room for the images."""

BESIDE_PICTURE: Cells = ((0, 0.0), (1, 0.0), (2, 0.0))
"""Raw sample and average of one lane, then the difference to a kept picture."""

TWO_LANES: Cells = ((0, 0.0), (1, 0.0), (0, 1.0), (1, 1.0), (2, 0.5))
"""Raw sample and average of each lane, then the difference of the averages."""


def cells_for(panes: int) -> Cells:
    """Return the cells of this number of panes."""
    return next(cells for cells in (ONE_LANE, BESIDE_PICTURE, TWO_LANES) if len(cells) == panes)


@dataclass(frozen=True)
class Layout:
    """The rectangles of a canvas, in device pixels.

    Attributes
    ----------
    panes, titles
        One for each cell of `ONE_LANE`, `BESIDE_PICTURE` or `TWO_LANES`, in this order.
    readout
        The line with pixel values, or with the hint.
    view
        Scale and position of the image in every pane.
    image
        Width and height of the image in image pixels.
    """

    panes: tuple[QRect, ...]
    titles: tuple[QRect, ...]
    readout: QRect
    view: Viewport
    image: tuple[int, int]

    def image_in(self, pane: QRect) -> QRect:
        """Return the rectangle of the whole image, which may be larger than the pane."""
        width, height = extent(self.image, self.view.scale)
        return QRect(pane.left() + self.view.left, pane.top() + self.view.top, width, height)


def _full_panes(
    size: tuple[int, int], metrics: Metrics, columns: int, rows: int
) -> tuple[int, int]:
    width = (size[0] - 2 * metrics.margin - (columns - 1) * metrics.gap) // columns
    height = (size[1] - metrics.margin - metrics.line) // rows - metrics.line
    return max(width, 1), max(height, 1)


def _grid(cells: Cells) -> tuple[int, int]:
    columns, rows = (int(max(ends)) + 1 for ends in zip(*cells, strict=True))
    return columns, rows


def _fit(size: tuple[int, int], image: tuple[int, int], metrics: Metrics, cells: Cells) -> Fraction:
    return fit_scale(image, _full_panes(size, metrics, *_grid(cells)))


def arrange(
    size: tuple[int, int],
    image: tuple[int, int],
    view: Viewport,
    metrics: Metrics,
    cells: Cells = ONE_LANE,
) -> Layout:
    """Lay out the panes of a canvas (width, height) for images (width, height).

    In a fitted view the panes have the size of the image and are centred. In a zoomed view, and in
    one that is fitted to a part of the image, they take all available space. The two panes of one
    lane are stacked where the image is larger then.
    """
    if cells == ONE_LANE:
        fits = {each: _fit(size, image, metrics, each) for each in (ONE_LANE, STACKED)}
        cells = max(fits, key=lambda each: fits[each])
    columns, rows = _grid(cells)
    width, height = _full_panes(size, metrics, columns, rows)
    if view.fitted and view.part is not None:
        pane = width, height
        view = fit_part(view.part, pane)
    elif view.fitted:
        scale = fit_scale(image, (width, height))
        across, down = extent(image, scale)
        pane = max(across, min(width, metrics.narrowest)), min(down, height)
        view = Viewport(scale, 0, 0)
    else:
        pane = width, height
        view = keep_visible(view, image, pane)
    across, down = pane[0] + metrics.gap, pane[1] + metrics.line
    whole = columns * across - metrics.gap, rows * down
    left = max((size[0] - whole[0]) // 2, 0)
    top = max((size[1] - whole[1] - metrics.line) // 2, 0)
    corners = [(left + across * column, top + round(down * row)) for column, row in cells]
    return Layout(
        tuple(QRect(x, y + metrics.line, *pane) for x, y in corners),
        tuple(QRect(x, y, pane[0], metrics.line) for x, y in corners),
        QRect(left, top + whole[1], whole[0], metrics.line),
        view,
        image,
    )


def unfitted(size: tuple[int, int], layout: Layout, pane: QRect, metrics: Metrics) -> Viewport:
    """Turn a fitted view into a free one, so that the image in `pane` does not move."""
    if not layout.view.fitted:
        return layout.view
    free = replace(layout.view, fitted=False, part=None)
    cells = cells_for(len(layout.panes))
    target = arrange(size, layout.image, free, metrics, cells)
    new = target.panes[layout.panes.index(pane)]
    image = layout.image_in(pane)
    return replace(free, left=image.left() - new.left(), top=image.top() - new.top())
