"""The files of a filmstrip: writing pins, and reading what may be damaged or from a stranger."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from ldam_studio.engine.picture import Bytes, enlarge
from ldam_studio.engine.state import SessionState
from ldam_studio.errors import StudioError
from ldam_studio.export.exporting import needs_session_file, used_in
from ldam_studio.export.filmstrip.pins import (
    DELETED,
    FOLDER,
    INDEX,
    MOST_BYTES,
    MOST_PINS,
    Pin,
    decoded,
    encoded,
    file_name,
    is_id,
)
from ldam_studio.export.formats import png
from ldam_studio.export.formats.table import read
from ldam_studio.export.kept_weights import SUFFIX as WEIGHTS
from ldam_studio.export.kept_weights import keep_weights
from ldam_studio.export.known import remember
from ldam_studio.export.recipe import Recipe, pixel_hash
from ldam_studio.export.session_file import save_session
from ldam_studio.export.shown import MAX_ZOOM, Shown
from ldam_studio.files import (
    free_path,
    hash_of,
    is_regular,
    read_bytes,
    read_state,
    remove_temporaries,
    set_aside,
    write_state,
    write_together,
)
from ldam_studio.progress import tell

MOST_PIXELS = 2**24
"""Pixels of a pin's picture."""
THUMBNAIL = 256
"""Longest side of a picture in the window, in pixels; smaller ones stay as they are."""
COPIED = 1024
"""Longest side of a picture for others, in pixels; slide programs would blur one of 28 pixels."""


@dataclass(frozen=True)
class Kept:
    """A pin with its picture, (H, W, 3), reduced to `THUMBNAIL`."""

    pin: Pin
    picture: Bytes


class Filmstrip:
    """The filmstrip of a session; what is written is called from one thread at a time.

    The files of a pin are written before the list that names it, so that a list is always true.

    Parameters
    ----------
    session
        The folder of the session.
    """

    def __init__(self, session: Path) -> None:
        self.folder, self._deleted = session / FOLDER, session / DELETED

    def picture_file(self, pin: Pin) -> Path:
        """Return the file with the picture of a pin."""
        return self.folder / f"{pin.id}.png"

    def session_file(self, pin: Pin) -> Path:
        """Return the file with the session at the moment of a pin."""
        return self.folder / f"{pin.id}.safetensors"

    # Writing

    def write(self, pins: Sequence[Pin]) -> None:
        """Write the list of all pins, in their order; raises `StudioError` if that fails."""
        write_state(self.folder / INDEX, encoded(tuple(pins)))

    def add(
        self, pin: Pin, state: SessionState, picture: Bytes, shown: Shown, pins: Sequence[Pin]
    ) -> None:
        """Keep a moment: its session and its picture (H, W, 3), then the list of all `pins`.

        Raises
        ------
        StudioError
            If the filmstrip is full or a file cannot be written. Nothing is left behind then.
        """
        try:
            if picture.shape[0] * picture.shape[1] > MOST_PIXELS:
                raise StudioError(
                    f"The picture has more than {MOST_PIXELS / 1e6:.0f} megapixels, the most in a "
                    "filmstrip; export it instead (Ctrl+E)."
                )
            self._check_room()
            kept = keep_weights(state, self.picture_file(pin))
            write_together(kept.files)
            save_session(kept.state, self.session_file(pin), self.folder)
            recipe = Recipe.of(kept.state, shown, picture, self.folder)
            if kept.relies or needs_session_file(recipe, self.folder):
                recipe = Recipe.of(self._begun(kept.state, pin), shown, picture, self.folder)
            write_state(self.picture_file(pin), png.encode(picture, recipe))
            self._check_room()
            self.write(pins)
        except BaseException:
            for file in self._files_of(pin):
                file.unlink(missing_ok=True)
            raise
        remember(used_in(state))  # so that it may be read again wherever its weights lie

    def _begun(self, state: SessionState, pin: Pin) -> SessionState:
        """Return a session whose log begins with the file of a pin."""
        file = self.session_file(pin)
        return replace(
            state, origin={"sidecar": {"file": file.name, "sha256": hash_of(file)}}, log=[]
        )

    def delete(self, pin: Pin, pins: Sequence[Pin]) -> None:
        """Take a pin out of the list, which is then `pins`; `bring_back` undoes that."""
        self.write(pins)
        self._move(pin, self.folder, self._deleted)

    def bring_back(self, pin: Pin, pins: Sequence[Pin]) -> None:
        """Put a deleted pin back into the list, which is then `pins`."""
        self._move(pin, self._deleted, self.folder)
        self.write(pins)

    def _move(self, pin: Pin, before: Path, after: Path) -> None:
        try:
            after.mkdir(mode=0o700, parents=True, exist_ok=True)
            for file in self._named(before, pin):
                file.replace(after / file.name)
        except OSError as error:
            raise StudioError(
                f"The pin cannot be moved to {after} ({error.strerror or error}); check the folder."
            ) from None

    def _check_room(self) -> None:
        size = sum(file.lstat().st_size for file in self._everything())
        if size > MOST_BYTES:
            raise StudioError(
                f"The filmstrip is full: its pins would take more than {MOST_BYTES / 2**20:,.0f} "
                "MB. Delete some of them."
            )

    def _everything(self) -> Iterator[Path]:
        with suppress(FileNotFoundError):
            yield from self.folder.iterdir()

    def _files_of(self, pin: Pin) -> list[Path]:
        return self._named(self.folder, pin)

    @staticmethod
    def _named(folder: Path, pin: Pin) -> list[Path]:
        return list(folder.glob(f"{pin.id}*"))

    # Reading

    def read(self) -> tuple[list[Kept], list[str]]:
        """Return the pins in their order, and sentences about what could not be read.

        Whatever the folder has in it, only regular files with the names of pins are read.
        """
        if self.folder.is_symlink() or not self.folder.is_dir():
            return [], []
        remove_temporaries(self.folder)
        if self._deleted.is_dir() and not self._deleted.is_symlink():
            shutil.rmtree(self._deleted, ignore_errors=True)
        kept: list[Kept] = []
        said: list[str] = []
        for pin in self._pins(said):
            tell("reading the filmstrip")
            try:
                kept.append(Kept(pin, thumbnail(self._checked(pin)[1])))
            except StudioError as error:
                said.append(f"A pin of the filmstrip, step {pin.step:,}, is left out: {error}")
        return kept, said

    def _pins(self, said: list[str]) -> tuple[Pin, ...]:
        """Return the listed pins; if the list is damaged or gone, those whose files are there."""
        index = self.folder / INDEX
        missing = not index.exists() and not index.is_symlink()
        try:
            if is_plain(index):
                return decoded(read_state(index))
            why = f"The list of the filmstrip is {'missing' if missing else 'not a file'}"
        except StudioError as error:
            why = str(error).rstrip(".")
        set_aside(index)
        found = self._found_again()
        if found or not missing:
            said.append(f"{why}; pins found again, but without their notes: {len(found):,}.")
        return found

    def _found_again(self) -> tuple[Pin, ...]:
        found = []
        files = [file for file in sorted(self.folder.glob("*.png")) if is_id(file.stem)]
        for file in files[:MOST_PINS]:
            with suppress(StudioError, LookupError, OSError):
                recipe, _ = self._checked(Pin(file.stem, 0))
                front, when = recipe.shown.front, file.lstat().st_mtime
                neuron = recipe.said.end.lanes[0].neurons[front]
                found.append(Pin(file.stem, recipe.step, neuron, when=when, front=front))
        return tuple(sorted(found, key=lambda pin: pin.when))

    def _checked(self, pin: Pin) -> tuple[Recipe, Bytes]:
        """Read the picture of a pin with its recipe; raises `StudioError` if it is damaged."""
        file = self.picture_file(pin)
        for each in (file, self.session_file(pin)):
            if not is_plain(each):
                raise StudioError(f"There is no file {each.name}; it may have been removed.")
        try:
            with Image.open(file, formats=("PNG",)) as image:
                too_large = image.width * image.height > MOST_PIXELS
        except (OSError, SyntaxError, ValueError):
            too_large = False  # reading it says what is wrong
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            too_large = True
        if too_large:
            raise StudioError(f"{file.name} is larger than any picture of a filmstrip.")
        return read(file)

    def picture(self, pin: Pin) -> tuple[Recipe, Bytes]:
        """Return the recipe and the whole picture (H, W, 3) of a pin.

        Raises
        ------
        StudioError
            If it is missing or damaged.
        """
        return self._checked(pin)

    # Pictures for others

    def copy(self, pins: Sequence[tuple[int, Pin]], folder: Path) -> list[Path]:
        """Copy the pictures of pins, by their numbers, with all that their replay needs.

        Each pixel becomes a square, so large that the longest side has `COPIED` pixels at most.

        Returns
        -------
        All files that were written. Nothing that is there already is replaced.

        Raises
        ------
        StudioError
            If a pin is damaged or a file cannot be written. What was copied before stays.
        """
        copied = []
        for done, (number, pin) in enumerate(pins):
            tell("copying pictures", done, len(pins))
            recipe, picture = self._checked(pin)
            zoom = max(1, min(MAX_ZOOM, COPIED // max(picture.shape[:2])))
            large, shown = enlarge(picture, zoom), recipe.data["shown"] | {"zoom": zoom}
            enlarged = recipe.having(shown=shown, pixels=pixel_hash(large))
            files = {free_path(folder / file_name(number, pin)): png.encode(large, enlarged)}
            others = [f for f in self._files_of(pin) if f.name.endswith(WEIGHTS) and is_plain(f)]
            if recipe.session_file is not None:
                others.append(self.session_file(pin))
            # Their names are in the recipe.
            files |= {folder / file.name: read_bytes(file) for file in others}
            write_together(files)
            copied += list(files)
        return copied


def is_plain(file: Path) -> bool:
    """Return whether there is a regular file that is no link."""
    return is_regular(file) and not file.is_symlink()


def thumbnail(picture: Bytes) -> Bytes:
    """Return a picture (H, W, 3) with sides of at most `THUMBNAIL` pixels."""
    height, width = picture.shape[:2]
    share = THUMBNAIL / max(height, width)
    if share >= 1:
        return picture
    size = (max(1, round(share * width)), max(1, round(share * height)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
