"""Photographs that a person brings into a session, as kept pictures."""

from __future__ import annotations

from pathlib import Path

from ldam_studio.engine.kept_pictures import KeptPicture, PictureReference, of_reference
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.training.photograph import SUFFIXES, read_photograph

__all__ = ["PHOTOGRAPH", "SUFFIXES", "bring", "bring_again", "is_photograph"]

PHOTOGRAPH = "photograph"
"""The origin of such pictures."""


def is_photograph(path: Path) -> bool:
    """Return whether a file is called like a photograph."""
    return path.suffix.lower() in SUFFIXES


def bring(path: Path, pixels: PixelSpec, inverted: bool | None = None) -> KeptPicture:
    """Return a photograph as an image that a network takes, see `training.photograph`.

    Raises
    ------
    StudioError
        If it cannot be read, or the network takes images of another number of channels.
    """
    found = read_photograph(path, pixels, inverted)
    return KeptPicture(
        found.pixels,
        path.name,
        PHOTOGRAPH,
        pixels.bounds,
        pixels.rest,
        path.absolute(),
        found.inverted,
        pixels.shown,
    )


def bring_again(path: Path, reference: PictureReference) -> KeptPicture:
    """Return the picture of a reference from a file; `StudioError` if it is another picture."""
    channels, height, width = reference.shape
    none = (0.0,) * channels, (1.0,) * channels
    bounds = reference.minimum, reference.maximum
    pixels = PixelSpec(channels, height, width, *none, reference.rest, *bounds, reference.order)
    found = read_photograph(path, pixels, reference.inverted)
    return of_reference(reference, found.pixels)
