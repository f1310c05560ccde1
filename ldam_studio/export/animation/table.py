"""The table of formats of animations, used by the window and by `record`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ldam_studio.errors import StudioError
from ldam_studio.export.animation.animation import Animation
from ldam_studio.export.animation.apng import Apng
from ldam_studio.export.animation.gif import Gif
from ldam_studio.export.animation.mp4 import Mp4
from ldam_studio.export.animation.webp import WebP


@dataclass(frozen=True)
class Format:
    """A format for animations.

    Attributes
    ----------
    title
        Its name in file dialogs.
    suffixes
        Suffixes of file names, in lower case; the first one is added to a name without a suffix.
    writer
        Writes it.
    """

    title: str
    suffixes: tuple[str, ...]
    writer: type[Animation]


FORMATS = {
    "webp": Format("WebP animation", (".webp",), WebP),
    "apng": Format("Animated PNG", (".png", ".apng"), Apng),
    "gif": Format("GIF animation", (".gif",), Gif),
    "mp4": Format("MP4 video", (".mp4",), Mp4),
}
"""Every format by name; the first one is the usual one."""


def animation_writer(path: Path, size: tuple[int, int], frames_per_second: float) -> Animation:
    """Return a writer for an animation in the format that the suffix of `path` names.

    Parameters
    ----------
    size
        Width and height in pixels.

    Raises
    ------
    StudioError
        If no format has this suffix, size or speed is out of bounds, the file cannot be written,
        or the format needs a library that is not installed.
    """
    return format_of(path).writer(path, size, frames_per_second)


def format_of(path: Path) -> Format:
    """Return the format of a file with this name; `StudioError` lists the known suffixes."""
    suffix = path.suffix.lower()
    for row in FORMATS.values():
        if suffix in row.suffixes:
            return row
    known = ", ".join(suffix for row in FORMATS.values() for suffix in row.suffixes)
    raise StudioError(f"{path.name} has no suffix of an animation; use one of {known}.")
