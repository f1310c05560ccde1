"""Finding the photograph that a recipe names by its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ldam_studio.engine.kept_pictures import KeptPicture, PictureReference, of_reference
from ldam_studio.errors import StudioError, plain
from ldam_studio.export.places import is_inside
from ldam_studio.files import is_regular
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.training.photograph import read_photograph
from ldam_studio.training.photos import ENDINGS

MOST_COMPARED = 20
"""Pictures beside an exported one of which the content is compared."""


class Photographs:
    """The photographs that a recipe may mean.

    Parameters
    ----------
    folder
        The folder of the exported picture.
    given
        Files that the person has named.
    """

    def __init__(self, folder: Path, given: Sequence[Path] = ()) -> None:
        self._folder, self._given = folder, tuple(given)

    def find(self, reference: PictureReference, named: Iterable[Path]) -> KeptPicture:
        """Return a picture from the file that has it.

        Parameters
        ----------
        named
            Where the file may lie that the recipe names, as far as it may be read there.

        Raises
        ------
        StudioError
            If none of the files has it.
        """
        tried: set[Path] = set()
        for path in (*self._given, *filter(is_regular, named), *self._beside()):
            if path in tried:
                continue
            tried.add(path)
            with suppress(StudioError):
                return _as_kept(reference, path)
        raise StudioError(
            f"The photograph {plain(reference.title, 100)} is not inside the recipe and not in the "
            "folder of the picture; put it there, or name it: replay --photograph FILE."
        )

    def _beside(self) -> Iterator[Path]:
        with suppress(OSError):
            usual = (path for path in self._folder.iterdir() if path.suffix.lower() in ENDINGS)
            beside = (path for path in sorted(usual) if is_inside(path, self._folder))
            yield from [path for path in beside if is_regular(path)][:MOST_COMPARED]


def _as_kept(reference: PictureReference, path: Path) -> KeptPicture:
    channels, height, width = reference.shape
    none = (0.0,) * channels, (1.0,) * channels
    bounds = reference.minimum, reference.maximum
    pixels = PixelSpec(channels, height, width, *none, reference.rest, *bounds, reference.order)
    found = read_photograph(path, pixels, reference.inverted)
    return of_reference(reference, found.pixels)
