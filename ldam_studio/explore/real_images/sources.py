"""Where real images come from: a folder or zip of pictures, a data set, the shipped digits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ldam_studio.errors import StudioError
from ldam_studio.explore.real_images.data_sets import DATA_SETS, DIGITS, suits
from ldam_studio.explore.real_images.folders import (
    in_folder,
    in_order,
    in_zip,
    opened_zip,
    unpacked,
)
from ldam_studio.explore.real_images.pictures import fitted, fitted_array
from ldam_studio.files import expanded, is_folder, is_there, read_bytes
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.progress import tell
from ldam_studio.training.images import LabelledImages
from ldam_studio.training.pictures import ENDINGS, MOST_BYTES, Bytes, NotAPictureError, decoded

FOLDER = "folder"


@dataclass(frozen=True)
class Spec:
    """Names real images: `FOLDER` with its path, or the name of a row of `DATA_SETS`.

    For a data set, `place` is the folder in which it is looked for; empty for the usual ones.
    """

    kind: str
    place: str = ""


def words_of(spec: Spec) -> str:
    """Return what images are, for sentences."""
    if spec.kind == FOLDER:
        return Path(spec.place).name or spec.place
    return DATA_SETS[spec.kind].words


@dataclass(frozen=True)
class Listed:
    """What a source has.

    Attributes
    ----------
    names
        Of the images, sorted.
    sizes, times
        Bytes of each file and when it was changed, in nanoseconds; see `Catalogue`. (n,) int64.
    total
        Number of images before a limit was applied.
    shut
        Folders that could not be looked into.
    """

    names: tuple[str, ...]
    sizes: NDArray[np.int64]
    times: NDArray[np.int64]
    total: int
    shut: tuple[str, ...] = ()

    def evenly(self, limit: int) -> Listed:
        """Return at most `limit` of them, evenly spaced; 0 for all."""
        count = len(self.names)
        if not 0 < limit < count:
            return self
        chosen = np.arange(limit) * count // limit
        names = tuple(self.names[at] for at in chosen)
        return Listed(names, self.sizes[chosen], self.times[chosen], self.total, self.shut)


@dataclass(frozen=True)
class Raw:
    """The content of one image, before it is decoded; `sha256` is that of its content."""

    sha256: bytes
    decode: Callable[[PixelSpec], tuple[Bytes, frozenset[str]]]


Read = Callable[[str], Raw]
"""Returns an image by its name; raises `NotAPictureError` if it cannot be read."""


class Source(Protocol):
    """Real images that can be listed and read."""

    spec: Spec

    def listed(self, limit: int) -> Listed:
        """List the images, at most `limit` evenly spaced ones; says how far it is."""

    def reader(self) -> AbstractContextManager[Read]:
        """Yield a function that reads an image by its name."""


# Folders and zips


class Pictures:
    """The pictures in a folder (and those below it) or in a zip, in the formats of photographs."""

    def __init__(self, place: Path) -> None:
        self.spec = Spec(FOLDER, str(place.absolute()))
        self._place = place.absolute()

    def listed(self, limit: int = 0) -> Listed:
        """List the pictures.

        Raises
        ------
        StudioError
            If the place is missing or cannot be read, or has no picture or too many.
        """
        shut: list[str] = []
        if is_folder(self._place):
            found = in_order(in_folder(self._place, shut))
        else:
            with opened_zip(self._place) as archive:
                found = in_order(in_zip(archive))
        if not found:
            raise StudioError(
                f"{self._place} contains no pictures ({', '.join(ENDINGS)}); choose another folder."
            )
        names, sizes, times = zip(*found, strict=True)
        whole = Listed(names, np.array(sizes), np.array(times), len(names), tuple(shut))
        return whole.evenly(limit)

    @contextmanager
    def reader(self) -> Iterator[Read]:
        """Yield a function that reads a picture by its name; a zip is opened only once."""
        if is_folder(self._place):
            yield lambda name: self._raw(lambda: read_bytes(self._place / name, MOST_BYTES))
            return
        with opened_zip(self._place) as archive:
            yield lambda name: self._raw(lambda: unpacked(archive, name))

    def _raw(self, read: Callable[[], bytes]) -> Raw:
        try:
            data = read()
        except NotAPictureError:
            raise
        except StudioError as error:
            raise NotAPictureError("too large" if "MB" in str(error) else "unreadable") from None
        except Exception:  # of a zip: damage, a password
            raise NotAPictureError("damaged") from None

        def decode(pixels: PixelSpec) -> tuple[Bytes, frozenset[str]]:
            found = decoded(data, max(pixels.height, pixels.width))
            return fitted(found.picture, pixels), found.notes

        return Raw(hashlib.sha256(data).digest(), decode)


@dataclass
class Labelled:
    """The images of a data set; their names are their class and number."""

    spec: Spec

    @cached_property
    def _images(self) -> LabelledImages:
        place = self.spec.place
        return DATA_SETS[self.spec.kind].load(Path(place) if place else None)

    def listed(self, limit: int = 0) -> Listed:
        """List the images; raises `StudioError` if they are missing or damaged."""
        tell(f"reading {words_of(self.spec)}")
        labels = self._images.labels.tolist()
        names = tuple(f"{number} (class {label})" for number, label in enumerate(labels))
        # Without a time they have no place in the catalogue: their content is hashed each time.
        nothing = np.zeros(len(names), np.int64)
        return Listed(names, nothing, nothing, len(names)).evenly(limit)

    @contextmanager
    def reader(self) -> Iterator[Read]:
        """Yield a function that reads an image by its name."""
        images = self._images.images.numpy()

        def read(name: str) -> Raw:
            number = int(name.partition(" ")[0])
            if not 0 <= number < len(images):
                raise NotAPictureError("not there")
            image = images[number]
            digest = hashlib.sha256(f"{image.shape}".encode() + image.tobytes()).digest()
            return Raw(digest, lambda pixels: (fitted_array(image, pixels), frozenset()))

        yield read


def source_of(spec: Spec) -> Source:
    """Return the images that a description names; `StudioError` if there is no such kind."""
    if spec.kind == FOLDER:
        return Pictures(Path(spec.place))
    if spec.kind in DATA_SETS:
        return Labelled(spec)
    raise StudioError(f"There are no real images called {spec.kind!r}; choose a folder.")


def spec_of(text: str, data: Path | None = None) -> Spec:
    """Return what a person names: a data set of `DATA_SETS`, or a folder or zip.

    Raises
    ------
    StudioError
        If it is neither.
    """
    if text in DATA_SETS:
        return Spec(text, str(data or ""))
    place = expanded(text)
    if not is_there(place):
        raise StudioError(
            f"There is no folder or zip {text}; name one, or one of {', '.join(DATA_SETS)}."
        )
    return Spec(FOLDER, str(place.absolute()))


def found_for(pixels: PixelSpec, data: Path | None) -> list[Spec]:
    """Return the data sets on this computer that suit a network."""
    return [
        Spec(kind, "" if kind == DIGITS else str(data or ""))
        for kind, row in DATA_SETS.items()
        if suits(kind, pixels) and row.is_here(data)
    ]
