"""Writing and reading PNG files that contain a recipe."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from ldam_studio import __version__
from ldam_studio.engine.picture import Bytes
from ldam_studio.errors import StudioError
from ldam_studio.export.recipe import Recipe
from ldam_studio.export.shown import MOST_PIXELS
from ldam_studio.files import read_bytes

KEY = "ldam-recipe"
MOST_BYTES = 2**29  # more than `MOST_PIXELS` take without any compression
DAMAGE = (OSError, SyntaxError, ValueError, struct.error, zlib.error)
"""What Pillow raises for a damaged file."""


# The check in `decode` takes the place of this warning.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def encode(
    picture: Bytes,
    recipe: Recipe,
    *,
    texts: Mapping[str, str] | None = None,
    chunks: Mapping[bytes, bytes] | None = None,
) -> bytes:
    """Return the bytes of a PNG file of `picture` (H, W, 3) with its recipe.

    Parameters
    ----------
    texts
        Further texts by their keywords.
    chunks
        Further chunks by their types, four letters, of which the second is small.
    """
    info = PngInfo()
    info.add_text("Software", f"LDAM Studio {__version__}")
    info.add_text(KEY, recipe.text)
    for key, text in (texts or {}).items():
        info.add_text(key, text)
    for kind, data in (chunks or {}).items():
        info.add(kind, data)
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def decode(path: Path) -> tuple[str | None, Bytes]:
    """Read the text of a PNG file's recipe, None if it has none, and its pixels (H, W, 3).

    Raises
    ------
    StudioError
        If the file is not a PNG picture, or is damaged.
    """
    data = read_bytes(path, MOST_BYTES)
    try:
        with Image.open(BytesIO(data), formats=("PNG",)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _too_large(path)
            image.load()
            text = image.info.get(KEY)
            picture = np.asarray(image.convert("RGB"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise _too_large(path) from None
    except UnidentifiedImageError:
        raise StudioError(
            f"{path} is not a PNG picture; choose one exported by LDAM Studio."
        ) from None
    except DAMAGE as error:
        raise StudioError(f"The picture {path} is damaged ({error}); copy it again.") from None
    return text if isinstance(text, str) else None, picture


def _too_large(path: Path) -> StudioError:
    return StudioError(
        f"{path} has more pixels than any exported picture ({MOST_PIXELS:,}), or than there is "
        "memory for; choose another."
    )
