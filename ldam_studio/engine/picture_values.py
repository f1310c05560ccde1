"""The values of kept pictures as letters, for the inside of a recipe."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Annotated, Any

import numpy as np
import torch
from msgspec import Meta

from ldam_studio.engine.description import Sha256
from ldam_studio.engine.kept_pictures import (
    MOST_PICTURES,
    KeptPicture,
    PictureReference,
    of_reference,
)
from ldam_studio.errors import StudioError, plain
from ldam_studio.networks.pixels import LEVELS, of_levels

MOST_LETTERS = 2**27
"""Letters of a picture inside a recipe: `MOST_VALUES` in 32 bits, in base64."""
IN_LEVELS, IN_FLOATS = "levels:", "floats:"
"""How the values of a picture begin inside a recipe: 8 bits each, or 32."""

Inside = Annotated[
    dict[Sha256, Annotated[str, Meta(max_length=MOST_LETTERS)]], Meta(max_length=MOST_PICTURES)
]
"""The values of pictures inside a recipe, see `inside`, by the SHA-256 of each."""


def inside(picture: KeptPicture) -> str:
    """Return the values of a picture as letters, for the inside of a recipe.

    Photographs have 256 levels, and take a quarter of the bytes of other pictures. Differences of
    neighbours are compressed: they are smaller than values.
    """
    low, high = picture.bounds
    levels = ((picture.pixels - low) / (high - low) * LEVELS).round().clamp(0, LEVELS).byte()
    if torch.equal(of_levels(levels, picture.bounds), picture.pixels):
        steps = np.diff(levels.numpy(), axis=2, prepend=np.uint8(0))
        return IN_LEVELS + _packed(steps.tobytes())
    return IN_FLOATS + _packed(picture.pixels.numpy().astype("<f4").tobytes())


def from_inside(reference: PictureReference, text: str) -> KeptPicture:
    """Return the picture of a reference from what `inside` wrote; `StudioError` if damaged."""
    try:
        if text.startswith(IN_LEVELS):
            steps = _unpacked(text.removeprefix(IN_LEVELS), reference.shape, np.dtype(np.uint8))
            levels = torch.from_numpy(np.cumsum(steps, axis=2, dtype=np.uint8))
            pixels = of_levels(levels, (reference.minimum, reference.maximum))
        else:
            floats = _unpacked(text.removeprefix(IN_FLOATS), reference.shape, np.dtype("<f4"))
            pixels = torch.from_numpy(floats.astype(np.float32))
    except (ValueError, binascii.Error, zlib.error):
        raise StudioError(
            f"The picture {plain(reference.title, 100)} inside the recipe is damaged; use the "
            "picture as exported."
        ) from None
    return of_reference(reference, pixels)


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _unpacked(text: str, shape: tuple[int, ...], kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return an array of this shape; never more is unpacked, whatever the text holds."""
    size = int(np.prod(shape)) * kind.itemsize
    data = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    if len(data) != size:
        raise ValueError
    return np.frombuffer(data, kind).reshape(shape)
