"""Pictures with their recipe inside: writing and reading PNG files."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from ldam_studio import __version__
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.recipe import LIMIT, Recipe, pixel_hash
from ldam_studio.export.shown import Shown, picture_of
from ldam_studio.export.sidecar import SUFFIX, session_bytes
from ldam_studio.files import read_bytes, write_together

KEY = "ldam-recipe"


@dataclass(frozen=True)
class Exported:
    """What was written: the picture, its sidecar if it needs one, and how far the chains were.

    `settling` says that a setting moved and the chains had not become steady again; `burned_in`
    that every chain shown had.
    """

    path: Path
    sidecar: Path | None
    settling: bool
    burned_in: bool


@dataclass(frozen=True)
class Draft:
    """Pictures that are made and not yet written; see `draft`."""

    files: dict[Path, bytes]
    exported: tuple[Exported, ...]
    origin: dict[str, Any] | None

    def write(self, state: SessionState, others: Mapping[Path, bytes] | None = None) -> None:
        """Write the pictures, and `others` with them: all or none.

        Raises
        ------
        StudioError
            If a file cannot be written. Nothing is left behind, and the session is as before.
        """
        write_together(self.files | dict(others or {}))
        if self.origin is not None:
            state.origin, state.log = self.origin, []


def export(state: SessionState, shown: Shown, path: Path) -> Exported:
    """Write a picture of `state` with its recipe.

    A log that has grown too long goes on from a sidecar, written beside the picture; the session's
    own log then begins anew at this step.

    Raises
    ------
    StudioError
        If there is nothing to show, or a file cannot be written. Nothing is then left behind.
    """
    made = draft(state, {path: shown})
    made.write(state)
    return made.exported[0]


def draft(state: SessionState, pictures: Mapping[Path, Shown]) -> Draft:
    """Make pictures of `state` for one folder, with their recipes and the sidecar they may need.

    Raises
    ------
    StudioError
        If there is nothing to show.
    """
    drawn = {path: picture_of(state, shown) for path, shown in pictures.items()}
    recipes = {path: Recipe.of(state, pictures[path], drawn[path]) for path in pictures}
    files: dict[Path, bytes] = {}
    origin = None
    if any(_needs_sidecar(recipe, path.parent) for path, recipe in recipes.items()):
        data = session_bytes(state, history=False)
        digest = hashlib.sha256(data).hexdigest()
        first = next(iter(pictures))
        name = f"{first.stem}-{digest[:12]}{SUFFIX}"
        files[first.parent / name] = data
        origin = {"sidecar": {"file": name, "sha256": digest}}
        begun = replace(state, origin=origin, log=[])
        recipes = {path: Recipe.of(begun, pictures[path], drawn[path]) for path in pictures}
    files |= {path: encode(drawn[path], recipes[path]) for path in pictures}
    exported = tuple(
        _exported(state, shown, recipes[path], path) for path, shown in pictures.items()
    )
    return Draft(files, exported, origin)


def _exported(state: SessionState, shown: Shown, recipe: Recipe, path: Path) -> Exported:
    several = shown.what in ("strip", "averages")
    chosen = slice(None) if several else slice(shown.front, shown.front + 1)
    sidecar = recipe.session_file
    return Exported(
        path,
        None if sidecar is None else path.parent / sidecar.file,
        settling=any(bool(lane.progress.settling[chosen].any()) for lane in state.lanes),
        burned_in=all(bool(lane.progress.done[chosen].all()) for lane in state.lanes),
    )


def _needs_sidecar(recipe: Recipe, folder: Path) -> bool:
    if len(recipe.text) > LIMIT:
        return True
    if (before := recipe.session_file) is not None:
        # The one it goes on from has to lie beside this picture as well.
        known = folder / before.file
        return not known.exists() or _file_hash(known) != before.sha256
    return "at" in recipe.data["session"]


def _file_hash(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


def encode(picture: Bytes, recipe: Recipe) -> bytes:
    """Return the bytes of a PNG file of `picture` (H, W, 3) with its recipe."""
    texts = PngInfo()
    texts.add_text("Software", f"LDAM Studio {__version__}")
    texts.add_text(KEY, recipe.text)
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG", pnginfo=texts)
    return file.getvalue()


def read(path: Path) -> tuple[Recipe, Bytes]:
    """Read an exported picture: its recipe and its pixels (H, W, 3).

    Raises
    ------
    StudioError
        If it is no picture, has no recipe, or recipe or pixels were altered after the export.
    """
    data = read_bytes(path)
    damage = (
        OSError,
        SyntaxError,
        ValueError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    )
    try:
        with Image.open(BytesIO(data), formats=("PNG",)) as image:
            image.load()
            text = image.info.get(KEY)
            picture = np.asarray(image.convert("RGB"))
    except UnidentifiedImageError:
        raise StudioError(
            f"{path} is not a PNG picture; choose one exported by LDAM Studio."
        ) from None
    except damage as error:
        raise StudioError(f"The picture {path} is damaged ({error}); copy it again.") from None
    if not isinstance(text, str):
        raise StudioError(
            f"{path} carries no recipe: LDAM Studio did not export it, or a program that saved it "
            "again dropped it."
        )
    recipe = Recipe.parse(text, path)
    if pixel_hash(picture) != recipe.data["pixels"]:
        raise StudioError(
            f"The pixels of {path} were altered after the export; use the picture as exported."
        )
    return recipe, picture


def read_recipe(path: Path) -> Recipe:
    """Read an exported picture's recipe; raises as `read` does."""
    return read(path)[0]
