"""Writing and reading PNG files that contain a recipe."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from ldam_studio import __version__
from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.recipe import Recipe, pixel_hash
from ldam_studio.files import read_bytes

KEY = "ldam-recipe"


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
        If the file is not a PNG picture, has no recipe, or was altered after the export.
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
