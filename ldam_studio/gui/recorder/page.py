"""Lays out the panes of an animation."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ldam_studio.engine.picture import grid_columns
from ldam_studio.export.animation.animation import MOST_SIDE
from ldam_studio.gui.recorder.catching import OF_ALL

GAP = 8  # pixels between the panes of an animation
CELL_GAP = 1  # image pixels between the chains of a grid
ROUNDING = 1e-6  # of a zoom that was computed from the size


@dataclass(frozen=True)
class Page:
    """The panes of an animation: raw samples and averages in rows, one row for each lane.

    Attributes
    ----------
    what
        One of `catching.WHAT`.
    image
        Width and height of an image in pixels.
    chains, lanes
        How many there are.
    """

    what: str
    image: tuple[int, int]
    chains: int
    lanes: int

    @property
    def columns(self) -> int:
        """How many panes are side by side."""
        return 2 if self.what == "both" else self.lanes

    @property
    def rows(self) -> int:
        """How many panes are one below the other."""
        return self.lanes if self.what == "both" else 1

    @property
    def pane(self) -> tuple[int, int]:
        """Width and height of a pane at zoom 1."""
        if self.what not in OF_ALL:
            return self.image
        across = grid_columns(self.chains)
        counts = across, -(-self.chains // across)
        width, height = (
            count * (side + CELL_GAP) - CELL_GAP
            for count, side in zip(counts, self.image, strict=True)
        )
        return width, height

    def zoom(self, room: tuple[int, int]) -> float:
        """Return how often pixels are enlarged within width and height; a whole number above 1."""
        gaps = self.columns - 1, self.rows - 1
        counts = self.columns, self.rows
        zoom = min(
            (most - GAP * gap) / (count * side)
            for most, gap, count, side in zip(room, gaps, counts, self.pane, strict=True)
        )
        return float(int(zoom)) if zoom >= 1 else max(zoom, 1 / max(self.pane))

    def size(self, height: int) -> tuple[int, int]:
        """Return width and height of an animation of this height at most."""
        width, tall = self.pane_at(self.zoom((MOST_SIDE, height)))
        return self.columns * (width + GAP) - GAP, self.rows * (tall + GAP) - GAP

    def side(self, height: int) -> int:
        """Return the length of an image's longer side in it."""
        return math.ceil(max(self.image) * self.zoom((MOST_SIDE, height)))

    def pane_at(self, zoom: float) -> tuple[int, int]:
        """Return width and height of a pane at this zoom; fractions of a pixel are cut off."""
        width, height = (max(1, int(side * zoom + ROUNDING)) for side in self.pane)
        return width, height
