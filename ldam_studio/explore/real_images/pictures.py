"""Pictures as a network sees photographs."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldam_studio.errors import StudioError
from ldam_studio.networks.pixels import PixelSpec, of_levels
from ldam_studio.networks.statistics.measuring import CHANNELS
from ldam_studio.training.pictures import Bytes
from ldam_studio.training.statistics import centre_of


def check_channels(name: str, pixels: PixelSpec) -> None:
    """Raise `StudioError` if a network takes images of channels that no picture has."""
    if pixels.channels not in CHANNELS:
        raise StudioError(
            f"{name} takes images of {pixels.channels} channels, but real pictures have one or "
            "three; open a network of such images."
        )


def fitted(picture: Image.Image, pixels: PixelSpec) -> Bytes:
    """Return a picture as a network takes it: (C, H, W), 0 is its black and 255 its white.

    The centre is cut out as for photo statistics; a picture of exactly the network's size is taken
    as it is.
    """
    size = (pixels.width, pixels.height)
    part = picture if picture.size == size else centre_of(picture, pixels.height, pixels.width)
    part = part.convert("L" if pixels.channels == 1 else "RGB")
    planes = np.asarray(part).reshape(pixels.height, pixels.width, -1)
    return np.ascontiguousarray(planes.transpose(2, 0, 1))


def fitted_array(image: Bytes, pixels: PixelSpec) -> Bytes:
    """Return a data set's image (C, H, W) as a network takes it; all of it is seen."""
    if image.shape == pixels.shape:
        return image
    planes = image.transpose(1, 2, 0)
    picture = Image.fromarray(planes[..., 0] if planes.shape[2] == 1 else planes)
    picture = picture.convert("L" if pixels.channels == 1 else "RGB")
    if picture.size != (pixels.width, pixels.height):
        picture = picture.resize((pixels.width, pixels.height), Image.Resampling.BICUBIC)
    planes = np.asarray(picture).reshape(pixels.height, pixels.width, -1)
    return np.ascontiguousarray(planes.transpose(2, 0, 1))


def as_pixels(images: Tensor, pixels: PixelSpec) -> Tensor:
    """Return images (n, C, H, W) of bytes in the network's pixel units, float32."""
    return of_levels(images, pixels.bounds)


def stacked(images: list[Bytes]) -> Tensor:
    """Return fitted images as one tensor (n, C, H, W), uint8."""
    return torch.from_numpy(np.stack(images))
