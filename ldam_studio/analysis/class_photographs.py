"""Photographs of a network's classes; a judge's results for them are an upper limit for pictures.

The photographs' names contain their classes: the folder of each, or, if all are in one folder, the
first part of the file's name, as in ``n01440764_tench.jpg``. Sorted by name, these are the
network's classes in order; ImageNet's classes are sorted in this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldam_studio.errors import StudioError
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.training.photos import Photos, find_photos

MOST = 10
"""Largest number of photographs of one class that are used."""

CENTRE = 0.875
"""Side of the central part that is shown to a judge, as a share of the largest part that fits: 224
of 256, as in the usual tests of ImageNet's networks."""


@dataclass(frozen=True)
class ClassPhotographs:
    """The photographs of a folder or zip, with the class of each."""

    photos: Photos
    classes: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of the folder or file."""
        return self.photos.place.name

    def read(self, wanted: Sequence[int], pixels: PixelSpec) -> tuple[Tensor, Tensor]:
        """Read up to `MOST` photographs of each wanted class, the first ones by name.

        Returns
        -------
        The images ``(n, 3, H, W)`` in the network's pixel units, and their classes ``(n,)``.
        Classes without photographs are missing.

        Raises
        ------
        StudioError
            If a photograph cannot be read.
        """
        images, classes = [], []
        with self.photos.reader() as photograph:
            for index in wanted:
                numbers = [n for n, found in enumerate(self.classes) if found == index]
                images += [_centre(photograph(number), pixels) for number in numbers[:MOST]]
                classes += [index] * len(numbers[:MOST])
        shown = torch.stack(images) if images else torch.empty(0, *pixels.shape)
        return shown, torch.tensor(classes, dtype=torch.int64)


def find_class_photographs(places: Sequence[Path], network: Network) -> list[ClassPhotographs]:
    """Find photographs with their classes; the result has one entry for each place.

    A place may lack some classes if another place has them.

    Raises
    ------
    StudioError
        If a place cannot be read, the network takes no colour images, or the number of classes in
        all places together is not that of the network.
    """
    if not places:
        return []
    if network.pixels.channels != 3:
        raise StudioError(
            f"{network.name} takes no RGB images, so its pictures cannot be compared with "
            "photographs; leave out --data."
        )
    found = [find_photos(place) for place in places]
    keys = [_keys(photos.names) for photos in found]
    every = sorted({key for each in keys for key in each})
    classes = network.class_layer.neurons
    if len(every) != classes:
        raise StudioError(
            f"The photographs in --data have {len(every)} classes, but {network.name} has "
            f"{classes}; give a folder or zip with a folder for each class, or with files called "
            "CLASS_NAME.jpg, for all classes."
        )
    index = {key: number for number, key in enumerate(every)}
    return [
        ClassPhotographs(photos, tuple(index[key] for key in each))
        for photos, each in zip(found, keys, strict=True)
    ]


def _keys(names: Sequence[str]) -> list[str]:
    paths = [PurePosixPath(name) for name in names]
    if len({path.parent for path in paths}) > 1:
        return [path.parent.name for path in paths]
    return [path.stem.partition("_")[0] for path in paths]


def _centre(picture: Image.Image, pixels: PixelSpec) -> Tensor:
    """Cut out the centre in the network's proportions, and resize it to the network's images."""
    factor = CENTRE * min(picture.height / pixels.height, picture.width / pixels.width)
    width, height = factor * pixels.width, factor * pixels.height
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    box = (left, top, left + width, top + height)
    size = (pixels.width, pixels.height)
    resized = picture.resize(size, Image.Resampling.BICUBIC, box)
    image = torch.from_numpy(np.array(resized)).permute(2, 0, 1) / 255
    return pixels.minimum + image * (pixels.maximum - pixels.minimum)
