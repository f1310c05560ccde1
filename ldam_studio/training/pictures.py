"""Strangers' pictures, of any kind of pixels, as plain colours: the one place that decodes files.

Pictures are turned as their camera noted (EXIF), of animated ones the first counts, values of 16
or 32 bits become 8 bits, and what is transparent shows the paper behind it.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

# Pillow warns of sizes that are refused here, and of damaged notes (EXIF) in what it can read.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "PPM", "TIFF")
"""Pillow's names of the formats that are read.

It would hand others, such as PostScript, to programs that run them, whatever the file is called.
"""
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".ppm", ".tif", ".tiff")
MOST_BYTES, MOST_PIXELS = 2**28, 2**27
"""Bytes of a picture's file, and its pixels, 134 million."""
DRAFT = 2
"""JPEGs are unpacked at the smallest size that has so many times the pixels along each side."""
PAPER = 255
"""What is seen through transparent pixels, a grey value."""
ANIMATED, CONVERTED = "animated", "converted"
"""What a picture can be besides plain; see `Decoded`."""

TOO_LARGE, NOT_A_PICTURE, DAMAGED = "too large", "not a picture", "damaged"
"""What `NotAPictureError` says."""

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


def decoded(
    data: bytes, side: int = 0, *, paper: int = PAPER, also: tuple[str, ...] = ()
) -> Decoded:
    """Return the picture in the bytes of a file.

    Parameters
    ----------
    side
        Pixels along the longer side that are needed; JPEGs that have far more are unpacked at a
        half, a quarter or an eighth of their size. 0 unpacks all pixels.
    paper
        The grey value, from 0 to 255, that is seen through transparent pixels.
    also
        Further formats, by Pillow's names.

    Raises
    ------
    NotAPictureError
        If it is no picture, is damaged or too large.
    """
    try:
        with Image.open(io.BytesIO(data), formats=(*FORMATS, *also)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NotAPictureError(TOO_LARGE)
            notes = set()
            # A phone's photograph may have a small one behind it (MPO).
            if getattr(picture, "is_animated", False) and picture.format != "MPO":
                notes.add(ANIMATED)
            if side:
                picture.draft("RGB", (DRAFT * side, DRAFT * side))
            if picture.mode not in ("RGB", "L"):
                notes.add(CONVERTED)
            picture.load()
            plain = _plain(_upright(picture), paper).convert("RGB")
            return Decoded(plain, frozenset(notes))
    except NotAPictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotAPictureError(TOO_LARGE) from None
    except UnidentifiedImageError:
        raise NotAPictureError(NOT_A_PICTURE) from None
    except MemoryError:
        raise NotAPictureError(TOO_LARGE) from None
    except Exception:
        # Damage raises errors of many types, depending on the format.
        raise NotAPictureError(DAMAGED) from None


def _upright(picture: Image.Image) -> Image.Image:
    """Return a picture as its camera was held."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # of damaged notes; the pixels are there
        return picture


def _plain(picture: Image.Image, paper: int) -> Image.Image:
    """Return a picture with 8 bits for each of its channels, and nothing to see through."""
    if picture.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(picture, np.float64)))
    if picture.has_transparency_data:
        above = picture.convert("RGBA")
        below = Image.new("RGBA", above.size, (paper, paper, paper, 255))
        below.alpha_composite(above)
        return below
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
