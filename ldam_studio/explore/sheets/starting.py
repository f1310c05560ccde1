"""A picture of a contact sheet as an image at which chains can begin."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ldam_studio.engine.kept_pictures import KeptPicture
from ldam_studio.engine.picture import Bytes
from ldam_studio.explore.sheets.spec import SheetSpec
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.resize import resized

ORIGIN = "contact sheet"


def kept_picture(spec: SheetSpec, neuron: Neuron, picture: Bytes) -> KeptPicture | None:
    """Return the picture (H, W, 3) of a neuron, not enlarged, as a session keeps it.

    Where it shows only what the neuron sees, the rest of the image has the rest colour. None if
    pixels cannot be told from its colours: where these are signed distances, or do not show all
    channels.
    """
    pixels = spec.network.pixels
    if spec.display != "image" or pixels.picture != tuple(range(pixels.channels)):
        return None
    if pixels.channels not in (1, 3):
        return None
    levels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[: pixels.channels].float() / 255
    values = pixels.minimum + (pixels.maximum - pixels.minimum) * levels
    image = _in_place(spec, neuron, values)
    return (
        None
        if image is None
        else KeptPicture(image, str(neuron), ORIGIN, pixels.bounds, pixels.rest)
    )


def _in_place(spec: SheetSpec, neuron: Neuron, values: Tensor) -> Tensor | None:
    """Return values (C, h, w) at the place in the network's images that the neuron sees."""
    pixels = spec.network.pixels
    box = spec.network.receptive_field(neuron.layer, neuron.place)
    if box is None:
        return resized(values[None], (pixels.height, pixels.width))[0]
    top, left, bottom, right = box
    if values.shape[1:] != (bottom - top, right - left):
        return None  # what the neuron sees was found to be more while it was drawn
    image = torch.full(pixels.shape, pixels.rest)
    image[:, top:bottom, left:right] = values
    return image
