"""Finding the files that a recipe names, which may have moved since the export."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from ldam_studio.engine.description import FileReference, Reference
from ldam_studio.engine.session import Opener
from ldam_studio.errors import StudioError
from ldam_studio.networks.weights.weights import sha256_of


class Nearby(Opener):
    """Opens the networks of a recipe, even if their files have moved.

    Parameters
    ----------
    folder
        The folder of the picture. A file that is no longer in its place is looked for here by its
        name.
    given
        Files to use for those of the recipe that have the same content.
    allow_code
        Whether networks that are the user's own code may be opened. Opening one runs its code.
    """

    def __init__(
        self, folder: Path = Path(), given: Sequence[Path] = (), *, allow_code: bool = False
    ) -> None:
        super().__init__(allow_code=allow_code)
        self.folder = folder
        self._given = tuple(given)

    @cached_property
    def _hashes(self) -> dict[str, Path]:
        return {sha256_of(path): path for path in self._given}

    def found(self, reference: Reference) -> Reference:
        """Return the reference with paths of files that exist.

        Raises
        ------
        StudioError
            If a file is missing.
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
        # A session may have used several files for one network; only one of them may be given.
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
            others = f", and {named} has other weights than those that were used"
        raise StudioError(
            f"The weights {recorded} of {name} are missing{others}; put the file there or into the "
            "folder of the picture."
        )

    def _code(self, name: str) -> str:
        """Return the path of the user's own code, which may have moved along with the picture."""
        place, _, function = name.rpartition(":")
        beside = self.folder / Path(place.replace("\\", "/")).name
        if place.endswith(".py") and not Path(place).exists() and beside.exists():
            return f"{beside}:{function}"
        return name
