"""What to do about a network that fails on an image: another image, or a line of its code."""

from __future__ import annotations

import itertools
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

import ldam_studio
from ldam_studio.errors import StudioError
from ldam_studio.progress import tell

SIZES = (32, 28, 224, 64, 128, 256, 299, 96, 384, 512)
"""Sides of images that are tried, the usual ones first."""

LONGEST_S = 8.0
"""Seconds after which no further image is tried."""

LIBRARIES = ("site-packages", "dist-packages")
PROGRAM = Path(ldam_studio.__file__).parent


class FailsOnImage(StudioError):
    """A network raised an error on an image.

    Parameters
    ----------
    what
        The failure, as a sentence without its end.
    place
        The last line of a person's own code that the error came from, in words; may be empty.
    """

    def __init__(self, what: str, place: str) -> None:
        self.what, self.place = what, place
        remedy = f"see {place}" if place else "correct the network, or give it another input"
        super().__init__(f"{what}; {remedy}.")


def what_to_do(module: nn.Module, image: Tensor, place: str) -> str:
    """Return what to do about an error that a network raises on an image, (1, C, H, W).

    Images of other sizes and channels are tried: only if one of them works, the input is the cause.

    Parameters
    ----------
    place
        See `FailsOnImage`.
    """
    works = _that_works(module, image)
    if works is not None:
        return (
            f"it works on an image of {' x '.join(map(str, works))}: specify the input that it was "
            "made for"
        )
    return f"see {place}" if place else "no other size works either: correct the network"


def place_in_code(error: BaseException) -> str:
    """Return the last line of a person's own code that an error came from; empty if none did."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        is_own = PROGRAM not in file.parents and not set(LIBRARIES) & set(file.parts)
        if is_own and file.is_file():
            return f"line {frame.lineno} of {file.name}"
    return ""


def _that_works(module: nn.Module, image: Tensor) -> tuple[int, int, int] | None:
    """Return the shape of an image that a network takes without an error, if one is found."""
    until = time.monotonic() + LONGEST_S
    for shape in _others(module, (image.shape[1], image.shape[2], image.shape[3])):
        if time.monotonic() > until:
            return None
        tell(f"trying an image of {' x '.join(map(str, shape))}")
        try:
            with torch.no_grad():
                module(image.new_zeros((1, *shape)))
        except Exception:
            continue
        return shape
    return None


def _others(module: nn.Module, shape: tuple[int, int, int]) -> Iterator[tuple[int, int, int]]:
    """Yield shapes to try: first what is nearest to the one that fails."""
    channels, height, width = shape
    first = next((m for m in module.modules() if isinstance(m, nn.Conv2d)), None)
    taken = () if first is None else (first.in_channels,)
    counts = dict.fromkeys((channels, *taken, 3, 1))
    sizes = dict.fromkeys(((height, width), *((side, side) for side in SIZES)))
    for (h, w), c in itertools.product(sizes, counts):
        if (c, h, w) != shape:
            yield c, h, w
