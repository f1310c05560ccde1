"""Pictures with their recipe inside: writing and reading PNG files."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from ldam_studio import __version__
from ldam_studio.engine.picture import Bytes
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.recipe import LIMIT, Recipe, Shown, picture_of, pixel_hash
from ldam_studio.export.sidecar import SUFFIX, session_bytes
from ldam_studio.networks.weights import read_bytes, write_bytes

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


def export(state: SessionState, shown: Shown, path: Path) -> Exported:
    """Write a picture of `state` with its recipe.

    A log that has grown too long goes on from a sidecar, written beside the picture; the session's
    own log then begins anew at this step.

    Raises
    ------
    StudioError
        If there is nothing to show, or a file cannot be written. Nothing is then left behind.
    """
    picture = picture_of(state, shown)
    recipe = Recipe.of(state, shown, picture)
    sidecar = None
    if _needs_sidecar(recipe, path.parent):
        data = session_bytes(state, history=False)
        digest = hashlib.sha256(data).hexdigest()
        sidecar = path.parent / f"{path.stem}-{digest[:12]}{SUFFIX}"
        existed = sidecar.exists()
        write_bytes(sidecar, data)
        origin, log = state.origin, list(state.log)
        state.origin, state.log = {"sidecar": {"file": sidecar.name, "sha256": digest}}, []
        recipe = Recipe.of(state, shown, picture)
    try:
        write_bytes(path, encode(picture, recipe))
    except StudioError:
        if sidecar is not None:
            # Without the picture nobody would know what the sidecar is for.
            if not existed:
                sidecar.unlink(missing_ok=True)
            state.origin, state.log = origin, log
        raise
    chosen = slice(shown.front, shown.front + 1)
    if shown.what in ("strip", "averages"):
        chosen = slice(None)
    progress = state.lane.progress
    if sidecar is None and recipe.sidecar is not None:
        sidecar = path.parent / str(recipe.sidecar["file"])
    return Exported(
        path,
        sidecar,
        settling=bool(progress.settling[chosen].any()),
        burned_in=bool(progress.done[chosen].all()),
    )


def _needs_sidecar(recipe: Recipe, folder: Path) -> bool:
    if len(recipe.text) > LIMIT:
        return True
    if recipe.sidecar is not None:
        # The one it goes on from has to lie beside this picture as well.
        known = folder / str(recipe.sidecar["file"])
        return not known.exists() or _file_hash(known) != recipe.sidecar["sha256"]
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
