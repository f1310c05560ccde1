"""The table of picture formats, used by the window and the commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.formats import png
from ldam_studio.export.formats.animated import is_animation
from ldam_studio.export.recipe import Recipe, pixel_hash


class NoRecipeError(StudioError):
    """A picture has no recipe."""


class AnimationError(NoRecipeError):
    """A picture is an animation, which has no recipe."""


@dataclass(frozen=True)
class Format:
    """A file format for pictures.

    Attributes
    ----------
    title
        Its name in file dialogs.
    suffixes
        Suffixes of file names, in lower case; the first one is added to a name without a suffix.
    encode
        Returns a file's bytes for a picture (H, W, 3) and its recipe.
    decode
        Reads the text of the recipe, None if there is none, and the picture from a file; raises
        `StudioError` if it has another format or is damaged. `read` checks the rest.
    """

    title: str
    suffixes: tuple[str, ...]
    encode: Callable[[Bytes, Recipe], bytes]
    decode: Callable[[Path], tuple[str | None, Bytes]]

    @property
    def filter(self) -> str:
        """The entry in a file dialog's list of types."""
        return f"{self.title} ({' '.join(f'*{suffix}' for suffix in self.suffixes)})"


FORMATS: dict[str, Format] = {"png": Format("Pictures", (".png",), png.encode, png.decode)}
"""Every format by name."""

USUAL = FORMATS["png"]
"""The format for names without a suffix."""


def with_suffix(path: Path) -> Path:
    """Return the path unchanged if it has the suffix of a format, else with the usual suffix."""
    return path if _find(path) is not None else path.with_name(path.name + USUAL.suffixes[0])


def format_of(path: Path) -> Format:
    """Return the format of a file with this name; `StudioError` lists the known suffixes."""
    found = _find(path)
    if found is not None:
        return found
    known = ", ".join(suffix for row in FORMATS.values() for suffix in row.suffixes)
    raise StudioError(f"{path.name} has no suffix of a picture format; use one of {known}.")


def read(path: Path) -> tuple[Recipe, Bytes]:
    """Read an exported picture: its recipe and its pixels (H, W, 3).

    Raises
    ------
    StudioError
        If the file is not a picture, has no recipe (`NoRecipeError`), or was altered after the
        export.
    """
    text, picture = (_find(path) or USUAL).decode(path)
    if text is None and is_animation(path):
        raise AnimationError(
            f"{path} is an animation, which has no recipe; choose an exported picture instead."
        )
    if text is None:
        raise NoRecipeError(
            f"{path} contains no recipe: either LDAM Studio did not export it, or another program "
            "saved it again without the recipe; choose the picture as exported."
        )
    recipe = Recipe.parse(text, path)
    if pixel_hash(picture) != recipe.data["pixels"]:
        raise StudioError(
            f"The pixels of {path} were changed after the export; use the picture as exported."
        )
    return recipe, picture


def read_recipe(path: Path) -> Recipe:
    """Read an exported picture's recipe; raises as `read` does."""
    return read(path)[0]


def _find(path: Path) -> Format | None:
    suffix = path.suffix.lower()
    return next((row for row in FORMATS.values() if suffix in row.suffixes), None)
