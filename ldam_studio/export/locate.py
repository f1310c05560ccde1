"""Finding the files that a recipe names, which may have moved since the export."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from msgspec.structs import replace

from ldam_studio.engine.description import FileReference, Reference
from ldam_studio.engine.session import Opener
from ldam_studio.errors import StudioError
from ldam_studio.export.places import is_file_name, where
from ldam_studio.networks.sources.families import runs_code, short_name
from ldam_studio.networks.weights.suffixes import is_weights
from ldam_studio.networks.weights.weights import sha256_of

MOST_COMPARED = 20
"""Weights files beside a picture of which the content is compared, if none has the right name."""


class Nearby(Opener):
    """Opens the networks of a recipe, even if their files have moved.

    Parameters
    ----------
    folder
        The folder of the picture. What the recipe says is relative to it, and a file that is no
        longer in its place is looked for here by its name, weights also by their content.
    given
        Files to use for those of the recipe that have the same content.
    code
        Networks in the user's own code, as FILE.py:FUNCTION, which may be opened in place of those
        in the recipe: the one of the same name, or the only one.
    allow_code
        Whether networks in own code that the recipe alone names may be opened. Opening one runs it.
    """

    def __init__(
        self,
        folder: Path = Path(),
        given: Sequence[Path] = (),
        code: Sequence[str] = (),
        *,
        allow_code: bool = False,
    ) -> None:
        super().__init__(allow_code=allow_code)
        self.folder = folder
        self._given, self._named = tuple(given), tuple(code)

    @cached_property
    def _hashes(self) -> dict[str, Path]:
        return {sha256_of(path): path for path in self._given}

    @cached_property
    def _beside(self) -> dict[str, Path]:
        """The weights files beside the picture, by their content."""
        try:
            files = sorted(p for p in self.folder.iterdir() if is_weights(p) and p.is_file())
        except OSError:
            return {}
        return {sha256_of(path): path for path in files[:MOST_COMPARED]}

    def check_code(self, reference: Reference) -> None:
        """Raise `StudioError` if the recipe names code that nobody else has named."""
        if self._given_code(reference.name) is not None:
            return
        try:
            super().check_code(reference)
        except StudioError:
            found = self._code(reference.name)
            raise StudioError(
                f"The network {short_name(reference.name)} is Python code from outside this "
                "program, which is not run just because a picture names it; if you trust it, name "
                f"it: --network {found}, or replay with --allow-code."
            ) from None

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
        labels = reference.labels
        if labels is not None:
            labels = next((str(p) for p in where(labels, self.folder) if p.is_file()), labels)
        return replace(reference, name=name, weights=weights, mean_of=parts, labels=labels)

    def code_of(self, reference: Reference) -> str:
        """Return the own code that opening a network runs, where it is now."""
        return self._code(reference.name)

    def place(self, recorded: str) -> Path:
        """Return the folder that a recipe names; what it says if there is none."""
        there = (path for path in where(recorded, self.folder) if path.is_dir())
        return next(there, Path(recorded))

    def _weights(self, name: str, recorded: str | None, sha256: str) -> str:
        # A session may have used several files for one network; only one of them may be given.
        if sha256 in self._hashes:
            return str(self._hashes[sha256])
        if recorded is None:
            return str(recorded)
        there = list(dict.fromkeys(p for p in where(recorded, self.folder) if p.is_file()))
        if len(there) > 1:
            # A training may have overwritten the one in its place.
            there.sort(key=lambda path: sha256_of(path) != sha256)
        if there:
            return str(there[0])
        if sha256 in self._beside:
            return str(self._beside[sha256])
        others = ""
        if self._given:
            named = " and ".join(map(str, self._given))
            others = f", and {named} has other weights than those that were used"
        raise StudioError(
            f"The weights {recorded} of {name} are missing{others}; put the file there or into the "
            "folder of the picture."
        )

    def _given_code(self, name: str) -> str | None:
        """Return the code that was given for a network in own code; None if none was."""
        if not runs_code(name):
            return None
        same = [given for given in self._named if short_name(given) == short_name(name)]
        only = self._named if len(self._named) == 1 else ()
        return next(iter((*same, *only)), None)

    def _code(self, name: str) -> str:
        """Return the name of a network, with the path of its own code, which may have moved."""
        given = self._given_code(name)
        if given is not None:
            return given
        place, _, function = name.rpartition(":")
        if is_file_name(name):
            there = (path for path in where(place, self.folder) if path.is_file())
            return next((f"{path}:{function}" for path in there), name)
        if runs_code(name):
            inside = self.folder.joinpath(*place.split(".")).with_suffix(".py")
            return f"{inside}:{function}" if inside.is_file() else name
        return name
