"""Finding the files that a recipe names, which may have moved since the export."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from ldam_studio.engine.description import FileReference, Reference
from ldam_studio.engine.kept_pictures import KeptPicture, PictureReference
from ldam_studio.engine.session import Opener
from ldam_studio.errors import StudioError
from ldam_studio.export.known import is_known
from ldam_studio.export.photographs import Photographs
from ldam_studio.export.places import is_file_name, is_inside, is_usual, where
from ldam_studio.export.references import references_in
from ldam_studio.files import MOST_READ, cache_folder, is_regular
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.families import runs_code, short_name
from ldam_studio.networks.sources.in_memory import check_has_file
from ldam_studio.networks.sources.labels import IMAGENET
from ldam_studio.networks.weights.suffixes import is_weights
from ldam_studio.networks.weights.weights import sha256_of

SHOWN_OF_HASH = 12  # letters of a hash in a sentence
MOST_COMPARED = 20
"""Weights files beside a picture of which the content is compared, if none has the right name.

Together they have at most the size of the largest file of weights."""


def own_folders() -> tuple[Path, ...]:
    """Return the folders that this person named for weights, or that the program writes to."""
    named = os.environ.get("LDAM_DATA")
    return (*([Path(named)] if named else []), cache_folder())


def _hash_words(sha256: str) -> str:
    """Say by which hash the file that is meant is known."""
    return f"its SHA-256 begins with {sha256[:SHOWN_OF_HASH]}"


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
    data
        The folder of real images to use in place of that in the recipe.
    allow_code
        Whether networks in own code that the recipe alone names may be opened. Opening one runs it.
    allow_files
        Whether files that the recipe alone names may be read where they lie outside of the folder.
        Those that this person has used before always may, see `known`, and weights in the folder
        that ``LDAM_DATA`` names.
    allow_download
        Whether published weights may be downloaded.
    pictures
        Photographs to use for those of the recipe that have the same content.
    what
        What names the files: a picture, with its recipe, or another kind of file.
    """

    def __init__(
        self,
        folder: Path = Path(),
        given: Sequence[Path] = (),
        code: Sequence[str] = (),
        *,
        data: Path | None = None,
        allow_code: bool = False,
        allow_files: bool = False,
        allow_download: bool = False,
        pictures: Sequence[Path] = (),
        what: str = "picture",
    ) -> None:
        super().__init__(allow_code=allow_code, allow_download=allow_download)
        self.folder, self._what = folder, what
        self._photographs = Photographs(folder, pictures)
        self.allow_files = allow_files
        self._given, self._named, self._data = tuple(given), tuple(code), data
        self._opened: dict[bytes, Network] | None = None

    @contextmanager
    def keeping_networks(self) -> Iterator[None]:
        """Open each network only once in the context, for several sessions one after the other."""
        self._opened = {}
        try:
            yield
        finally:
            self._opened = None

    def network(self, reference: Reference) -> Network:
        """Open the network of a reference; raises as `Opener.network` does."""
        if self._opened is None:
            return super().network(reference)
        key = msgspec.json.encode(reference)
        if key not in self._opened:
            self._opened[key] = super().network(reference)
        return self._opened[key]

    @cached_property
    def _hashes(self) -> dict[str, Path]:
        return {sha256_of(path): path for path in self._given}

    @cached_property
    def _beside(self) -> dict[str, Path]:
        """The weights files beside the picture, by their content."""
        try:
            files = sorted(filter(self._is_beside, self.folder.iterdir()))
        except OSError:
            return {}
        found = {}
        left = MOST_READ
        for path in files[:MOST_COMPARED]:
            with suppress(OSError, StudioError):  # not this person's to read, or gone
                left -= path.stat().st_size
                if left < 0:
                    break
                found[sha256_of(path)] = path
        return found

    def _is_beside(self, path: Path) -> bool:
        # Names come first: to look where each of very many files leads would take minutes.
        usual = is_weights(path) and (self.allow_files or is_inside(path, self.folder))
        return usual and is_regular(path)

    def _places(self, recorded: str, *, known: bool) -> Iterator[Path]:
        """Yield where a file may lie that the recipe names, if it may be looked for there."""
        for path in where(recorded, self.folder):
            own = (self.folder, *own_folders())
            if known or self.allow_files or any(is_inside(path, folder) for folder in own):
                yield path

    def check_code(self, reference: Reference) -> None:
        """Raise `StudioError` if the recipe names code that nobody else has named."""
        check_has_file(reference.name)
        if self._given_code(reference.name) is not None:
            return
        try:
            super().check_code(reference)
        except StudioError:
            found = self.code_of(reference)
            raise StudioError(
                f"The network {short_name(reference.name)} is Python code from outside this "
                f"program, which is not run just because a {self._what} names it; if you trust it, "
                f"name it: --network {found}, or replay with --allow-code."
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
        if labels is not None and labels != str(IMAGENET):
            # They are only shown: without them everything else is the same.
            labels = self._labels(labels, reference.sha256)
        return replace(reference, name=name, weights=weights, mean_of=parts, labels=labels)

    def picture_file(self, reference: PictureReference) -> KeptPicture:
        """Read a picture that was brought into the session from its file.

        Raises
        ------
        StudioError
            If no file that may be read has it.
        """
        place, known = reference.picture_file, is_known(reference.sha256)
        named = () if place is None else self._places(place, known=known)
        return self._photographs.find(reference, named)

    def code_of(self, reference: Reference) -> str:
        """Return the own code that opening a network would run, as it can be named.

        Code outside of the folder is not looked for: it is named as the recipe says.
        """
        name = self._code(reference.name)
        place, _, function = name.rpartition(":")
        if name != reference.name or not is_file_name(name):
            return name
        return next((f"{path}:{function}" for path in where(place, self.folder)), name)

    def place(self, recorded: str) -> Path | None:
        """Return the folder of real images that a recipe names; None if it may not be read.

        Whoever lets a discriminator learn asks `check_data` before.
        """
        if self._data is not None:
            return self._data
        return next((path for path in self._folders(recorded, "")), None)

    def check_data(self, recorded: str | None, sha256: str | None) -> None:
        """Raise `StudioError` if a discriminator would learn from images that nobody named.

        Parameters
        ----------
        recorded, sha256
            The folder in the recipe, and the hash of the images that were taken from it.
        """
        if recorded is None or self._data is not None:
            return
        if not any(self._folders(recorded, sha256 or "")):
            raise StudioError(
                f"The discriminator learned from the real images in {recorded}, which are not "
                f"there, or not read just because a {self._what} names them; name their folder: "
                "--data FOLDER."
            )

    def elsewhere(self, recipe: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the files of weights in a recipe that are read only if this person allows it."""
        found = []
        for reference in references_in(recipe):
            place, sha256 = reference.get("weights"), str(reference["sha256"])
            if not isinstance(place, str) or not is_usual(place) or is_known(sha256):
                continue
            with suppress(StudioError):
                self._weights("", place, sha256)
                continue
            found.append(place)
        return tuple(dict.fromkeys(found))

    def _folders(self, recorded: str, sha256: str) -> Iterator[Path]:
        """Yield the folder of real images, which may also be a zip, if it may be read."""
        for path in where(recorded, self.folder):
            usual = is_inside(path, self.folder) or self.allow_files
            if (usual or is_known(sha256, path)) and (path.is_dir() or is_regular(path)):
                yield path

    def _labels(self, recorded: str, sha256: str) -> str | None:
        for path in where(recorded, self.folder):
            usual = is_inside(path, self.folder) or self.allow_files
            if (usual or is_known(sha256, path)) and is_regular(path):
                return str(path)
        return None

    def _weights(self, name: str, recorded: str | None, sha256: str) -> str:
        # A session may have used several files for one network; only one of them may be given.
        if sha256 in self._hashes:
            return str(self._hashes[sha256])
        if recorded is None:
            return str(recorded)
        known = is_known(sha256)
        there = list(dict.fromkeys(filter(is_regular, self._places(recorded, known=known))))
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
        if not (known or self.allow_files or self._given):
            raise StudioError(
                f"The weights {recorded} of {name} are not in the folder of the {self._what}, and "
                f"a file elsewhere is not read just because a {self._what} names it; name it: "
                f"--weights FILE, or put it into the folder of the {self._what}, under any name: "
                f"{_hash_words(sha256)}."
            )
        raise StudioError(
            f"The weights {recorded} of {name} are missing{others}; put the file there or, under "
            f"any name, into the folder of the {self._what}: {_hash_words(sha256)}."
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
            # Only asked for here: nothing is read or run before `check_code`.
            usual = self._places(place, known=self._allow_code)
            return next((f"{path}:{function}" for path in usual if is_regular(path)), name)
        if runs_code(name) and is_usual(place) and all(place.split(".")):
            inside = self.folder.joinpath(*place.split(".")).with_suffix(".py")
            if is_inside(inside, self.folder) and is_regular(inside):
                return f"{inside}:{function}"
        return name
