"""The table of formats: the window and the commands export in those listed here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.formats import png
from ldam_studio.export.recipe import Recipe


@dataclass(frozen=True)
class Format:
    """A kind of picture files.

    Attributes
    ----------
    title
        What a person reads, also in file dialogs.
    suffixes
        How names of such files end, in lower case; the first one is added where none is given.
    encode
        Makes a file's bytes from a picture (H, W, 3) and its recipe.
    read
        Reads both from a file; raises `StudioError` if it is no such file, or was altered.
    """

    title: str
    suffixes: tuple[str, ...]
    encode: Callable[[Bytes, Recipe], bytes]
    read: Callable[[Path], tuple[Recipe, Bytes]]

    @property
    def filter(self) -> str:
        """What a file dialog shows."""
        return f"{self.title} ({' '.join(f'*{suffix}' for suffix in self.suffixes)})"


FORMATS: dict[str, Format] = {"png": Format("Pictures", (".png",), png.encode, png.read)}
"""Every format by name."""

USUAL = FORMATS["png"]
"""The format of names without a suffix."""


def with_suffix(path: Path) -> Path:
    """Return a path that ends as a format does: as it is, or with the first format's suffix."""
    return path if _find(path) is not None else path.with_name(path.name + USUAL.suffixes[0])


def format_of(path: Path) -> Format:
    """Return the format of a file with this name; `StudioError` names those there are."""
    found = _find(path)
    if found is not None:
        return found
    known = ", ".join(suffix for row in FORMATS.values() for suffix in row.suffixes)
    raise StudioError(f"{path.name} ends as no format of pictures does; pictures end in {known}.")


def read(path: Path) -> tuple[Recipe, Bytes]:
    """Read an exported picture: its recipe and its pixels (H, W, 3).

    Raises
    ------
    StudioError
        If it is no such picture, or recipe or pixels were altered after the export.
    """
    return (_find(path) or USUAL).read(path)


def _find(path: Path) -> Format | None:
    suffix = path.suffix.lower()
    return next((row for row in FORMATS.values() if suffix in row.suffixes), None)
