"""Finding what a recipe names by file, which may have moved since the export."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from ldam_studio.engine.description import FileReference, Reference
from ldam_studio.engine.session import Opener
from ldam_studio.errors import StudioError
from ldam_studio.files import read_bytes


class Nearby(Opener):
    """Opens what a recipe names, with files that may have moved.

    Parameters
    ----------
    folder
        The picture's own. A file that is no longer where it was is looked for there by its name.
    given
        Files that stand for those of the recipe that have the same content.
    allow_code
        Whether a network may be opened that is a person's own code, which runs it.
    """

    def __init__(
        self, folder: Path = Path(), given: Sequence[Path] = (), *, allow_code: bool = False
    ) -> None:
        super().__init__(allow_code=allow_code)
        self.folder = folder
        self._given = tuple(given)

    @cached_property
    def _hashes(self) -> dict[str, Path]:
        return {hashlib.sha256(read_bytes(path)).hexdigest(): path for path in self._given}

    def found(self, reference: Reference) -> Reference:
        """Return a reference to files that are here.

        Raises
        ------
        StudioError
            If one of them is missing.
        """
        name = self._code(reference.name)
        parts = tuple(
            FileReference(self._weights(name, part.weights, part.sha256), part.sha256)
            for part in reference.mean_of
        )
        weights = reference.weights
        if weights is not None or reference.sha256 in self._hashes:
            weights = self._weights(name, weights, reference.sha256)
        return replace(reference, name=name, weights=weights, mean_of=parts)

    def _weights(self, name: str, recorded: str | None, sha256: str) -> str:
        # A session may have had several files of one network, of which one is given.
        if sha256 in self._hashes:
            return str(self._hashes[sha256])
        if recorded is None or Path(recorded).exists():
            return str(recorded)
        beside = self.folder / Path(recorded.replace("\\", "/")).name
        if beside.exists():
            return str(beside)
        others = ""
        if self._given:
            named = " and ".join(map(str, self._given))
            others = f", and those in {named} are not those that were used"
        raise StudioError(
            f"The weights {recorded} of {name} are missing{others}; put the file there or beside "
            "the picture."
        )

    def _code(self, name: str) -> str:
        """Return where a person's own code is, if it was moved along with the picture."""
        place, _, function = name.rpartition(":")
        beside = self.folder / Path(place.replace("\\", "/")).name
        if place.endswith(".py") and not Path(place).exists() and beside.exists():
            return f"{beside}:{function}"
        return name
