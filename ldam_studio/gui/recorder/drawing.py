"""Draws the frames of an animation from what was caught of a session."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ldam_studio.engine.picture import Bytes, Floats
from ldam_studio.export.animation.composing import GAP, Composer, Pane
from ldam_studio.export.animation.panes import BOTH, chain_columns
from ldam_studio.gui.recorder.catching import OF_ALL, Caught, Images
from ldam_studio.networks.neurons import Neuron

TITLES = {
    "both": "raw sample, running average",
    "raw": "raw sample",
    "average": "running average",
    "strip": "raw samples",
    "averages": "running averages",
}


class Drawing:
    """Draws frames of one size, whatever the images' size and number.

    Raw samples and averages are side by side, one row for each lane, or else the lanes are.

    Parameters
    ----------
    what
        One of `catching.WHAT`.
    image
        Width and height of an image.
    neurons
        The neuron of each chain.
    lanes
        How many there are.
    height
        Height of a frame in pixels, at most.
    texts
        Whether what is shown, the neuron in front and the step stand above.
    """

    def __init__(
        self,
        what: str,
        image: tuple[int, int],
        neurons: Sequence[Neuron],
        lanes: int,
        height: int,
        *,
        texts: bool,
    ) -> None:
        pane = image
        if what in OF_ALL:
            across = chain_columns(neurons, image)
            counts = across, -(-len(neurons) // across)
            pane = (counts[0] * (image[0] + 1) - 1, counts[1] * (image[1] + 1) - 1)
        rows = [[pane] * 2] * lanes if what == BOTH else [[pane] * lanes]
        self._what = what
        self._composer = Composer([rows], height, (TITLES[what],) if texts else ())
        self.size = self._composer.size
        """Width and height of a frame."""
        columns = len(rows[0])
        zoom = ((self.size[0] + GAP) / columns - GAP) / pane[0]
        self.side = math.ceil(zoom * max(image))
        """Length of an image's longer side in a frame."""

    def __call__(self, caught: Caught) -> Bytes:
        """Return what a frame shows, (H, W, 3)."""
        panes = [_pane(images, caught) for images in caught.images]
        across = 2 if self._what == BOTH else len(panes)
        rows = [panes[at : at + across] for at in range(0, len(panes), across)]
        return self._composer([rows], (caught.note,))


def _pane(images: Images, caught: Caught) -> Pane:
    """Return the pane of one lane; where nothing was averaged yet, it has the rest colour."""
    values: Floats = images.values.array()
    kind = "raw"
    if images.samples is not None:
        kind = "average"
        empty = images.samples.array() == 0
        if empty.any():
            values = np.where(empty[:, None, None, None], np.float32(caught.pixels.rest), values)
    columns = chain_columns(caught.neurons, (caught.pixels.width, caught.pixels.height))
    display = caught.display
    return Pane(values, caught.pixels, display.mode, display.scale, kind, columns)
