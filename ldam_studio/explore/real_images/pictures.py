"""Reading strangers' pictures, of any kind of pixels, as a network sees photographs."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from ldam_studio.errors import StudioError
from ldam_studio.networks.pixels import PixelSpec, of_levels
from ldam_studio.networks.statistics.measuring import CHANNELS
from ldam_studio.training.photos import FORMATS
from ldam_studio.training.statistics import centre_of

MOST_BYTES, MOST_PIXELS = 2**28, 2**26
"""Bytes of a picture's file, and its pixels, 64 million."""
DRAFT = 2
"""JPEGs are unpacked at the smallest size that has so many times the pixels along each side."""
PAPER = (255, 255, 255)
"""What is seen through transparent pixels."""
ANIMATED, CONVERTED = "animated", "converted"
"""What a picture can be besides plain; see `Decoded`."""

Bytes = NDArray[np.uint8]


class NotAPictureError(Exception):
    """A file that cannot be read as a picture; the message says why, in two or three words."""


@dataclass(frozen=True)
class Decoded:
    """A picture as RGB.

    `notes` has `ANIMATED` if it is the first image of several, and `CONVERTED` if its pixels were
    not plain: CMYK, 16 bits, a palette or transparent.
    """

    picture: Image.Image
    notes: frozenset[str] = frozenset()


def check_channels(name: str, pixels: PixelSpec) -> None:
    """Raise `StudioError` if a network takes images of channels that no picture has."""
    if pixels.channels not in CHANNELS:
        raise StudioError(
            f"{name} takes images of {pixels.channels} channels, but real pictures have one or "
            "three; open a network of such images."
        )


def decoded(data: bytes, side: int = 0) -> Decoded:
    """Return the picture in the bytes of a file.

    Parameters
    ----------
    side
        Pixels along the longer side that are needed; JPEGs that have far more are unpacked at a
        half, a quarter or an eighth of their size. 0 unpacks all pixels.

    Raises
    ------
    NotAPictureError
        If it is no picture, is damaged or too large.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NotAPictureError("too large")
            notes = set()
            # A phone's photograph may have a small one behind it (MPO).
            if getattr(picture, "is_animated", False) and picture.format != "MPO":
                notes.add(ANIMATED)
            if side:
                picture.draft("RGB", (DRAFT * side, DRAFT * side))
            if picture.mode not in ("RGB", "L"):
                notes.add(CONVERTED)
            picture.load()
            return Decoded(_plain(_upright(picture)).convert("RGB"), frozenset(notes))
    except NotAPictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotAPictureError("too large") from None
    except UnidentifiedImageError:
        raise NotAPictureError("not a picture") from None
    except MemoryError:
        raise NotAPictureError("too large") from None
    except Exception:
        # Damage raises errors of many types, depending on the format.
        raise NotAPictureError("damaged") from None


def _upright(picture: Image.Image) -> Image.Image:
    """Return a picture as its camera was held."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # of damaged notes; the pixels are there
        return picture


def _plain(picture: Image.Image) -> Image.Image:
    """Return a picture with 8 bits for each of its channels, and nothing to see through."""
    if picture.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(picture, np.float64)))
    if picture.has_transparency_data:
        above = picture.convert("RGBA")
        paper = Image.new("RGBA", above.size, PAPER)
        paper.alpha_composite(above)
        return paper
    return picture


def _eight_bits(values: NDArray[np.float64]) -> Bytes:
    """Return grey values of 16 bits, 32 bits or any numbers as 8 bits."""
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise NotAPictureError("without numbers")
    if low < 0 or high > 2**16 - 1:
        span = (high - low) or 1.0
        values = (values - low) * (255 / span)
    elif high > 255:
        values = values / 257
    elif high <= 1:
        values = values * 255
    return values.round().astype(np.uint8)


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
