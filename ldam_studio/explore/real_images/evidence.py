"""What real images say of one neuron, with the pictures to show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ldam_studio.explore.real_images.index import Example, Index, Responses
from ldam_studio.explore.real_images.standing import QUANTILES, Histogram, histogram
from ldam_studio.networks.neurons import Neuron
from ldam_studio.training.pictures import Bytes

MOST_SHOWN = 24
"""Number of the best images that are shown at most."""


@dataclass(frozen=True)
class Evidence:
    """The real images beside a drawn one.

    Attributes
    ----------
    responses
        The neuron's values for all images.
    best
        The images with the largest values, of which no two are nearly the same.
    spread
        The images at `standing.QUANTILES`.
    histogram
        How the values are spread.
    pictures
        The images of both by their number, as bytes (H, W, 3); without those that cannot be read.
    """

    responses: Responses
    best: tuple[Example, ...]
    spread: tuple[Example, ...]
    histogram: Histogram
    pictures: Mapping[int, Bytes]

    @property
    def neuron(self) -> Neuron:
        """The neuron."""
        return self.responses.neuron

    def patch(self, example: Example) -> Bytes | None:
        """Return what the unit with the value sees of an image, (h, w, 3); None if it is gone."""
        picture = self.pictures.get(example.image)
        if picture is None or example.box is None:
            return picture
        top, left, bottom, right = example.box
        return picture[top:bottom, left:right]


def gather(index: Index, neuron: Neuron, count: int = MOST_SHOWN) -> Evidence | None:
    """Return what an index says of a neuron; None if no image has a finite value.

    Raises
    ------
    StudioError
        If the layer is not in the index.
    """
    responses = index.responses(neuron)
    if not len(responses):
        return None
    best = tuple(index.top(responses, count))
    spread = tuple(index.at_quantiles(responses, QUANTILES))
    pictures = index.pictures([each.image for each in (*best, *spread)])
    shown = {number: in_colours(picture) for number, picture in pictures.items()}
    return Evidence(responses, best, spread, histogram(responses), shown)


def in_colours(image: Bytes) -> Bytes:
    """Turn an image (C, H, W) of one or three channels into (H, W, 3)."""
    planes = np.broadcast_to(image, (3, *image.shape[1:]))
    return np.ascontiguousarray(planes.transpose(1, 2, 0))
