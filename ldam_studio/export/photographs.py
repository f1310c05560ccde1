"""Finding the photograph that a recipe names by its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ldam_studio.engine.kept_pictures import KeptPicture, PictureReference
from ldam_studio.engine.photographs import bring_again, is_photograph
from ldam_studio.errors import StudioError, plain
from ldam_studio.export.places import is_inside
from ldam_studio.files import is_regular

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
                return bring_again(path, reference)
        raise StudioError(
            f"The photograph {plain(reference.title, 100)} is not inside the recipe and not in the "
            "folder of the picture; put it there, or name it: replay --photograph FILE."
        )

    def _beside(self) -> Iterator[Path]:
        with suppress(OSError):
            usual = (path for path in self._folder.iterdir() if is_photograph(path))
            beside = (path for path in sorted(usual) if is_inside(path, self._folder))
            yield from [path for path in beside if is_regular(path)][:MOST_COMPARED]
