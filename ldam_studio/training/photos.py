"""Photographs for training: a folder or a zip of them, read on demand."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ldam_studio.errors import StudioError, in_short
from ldam_studio.files import read_bytes
from ldam_studio.training.pictures import (
    ENDINGS,
    MOST_BYTES,
    TOO_LARGE,
    NotAPictureError,
    decoded,
)

LEAST_PHOTOS = 16
LEAST_CROP = 0.5
"""Smallest side of a crop, as a share of the largest crop that fits."""


@dataclass(frozen=True)
class Photos:
    """The photographs in a folder or zip, sorted by name.

    Attributes
    ----------
    place
        The folder or the zip.
    names
        Their paths inside it.
    """

    place: Path
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @contextmanager
    def reader(self) -> Iterator[Callable[[int], Image.Image]]:
        """Yield a function that reads a photograph by its number, as RGB.

        A zip is opened only once.

        Raises
        ------
        StudioError
            If the place or a photograph is missing, or the photograph cannot be read.
        """
        if self.place.is_dir():
            yield lambda number: self._decode(
                number, partial(read_bytes, self.place / self.names[number], MOST_BYTES)
            )
            return
        with _archive(self.place) as archive:
            yield lambda number: self._decode(
                number, partial(_unpacked, archive, self.names[number])
            )

    def _decode(self, number: int, read: Callable[[], bytes]) -> Image.Image:
        name = self.names[number]
        try:
            return decoded(read()).picture
        except NotAPictureError as error:
            if str(error) == TOO_LARGE:
                text = f"{name} in {self.place} is too large to be read; remove it."
            else:
                text = self._unread(name, str(error))
            raise StudioError(text) from None
        except Exception as error:
            # A zip's damage, or a password, raises errors of many types.
            raise StudioError(self._unread(name, in_short(error))) from error

    def _unread(self, name: str, why: str) -> str:
        return (
            f"{name} in {self.place} cannot be read as a picture ({why}); remove it or download it "
            "again."
        )


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MOST_BYTES:
        raise NotAPictureError(TOO_LARGE)
    return archive.read(name)


@contextmanager
def _archive(place: Path) -> Iterator[zipfile.ZipFile]:
    try:
        # Opening a pipe would wait for somebody who writes to it.
        if not stat.S_ISREG(place.stat().st_mode):
            raise zipfile.BadZipFile
        archive = zipfile.ZipFile(place)
    except OSError as error:
        raise StudioError(
            f"{place} cannot be read ({error.strerror or error}); choose a folder or a zip of "
            "photographs."
        ) from None
    except Exception:
        raise StudioError(
            f"{place} is not a zip file, or is damaged; choose a folder or a zip of photographs."
        ) from None
    with archive:
        yield archive


def find_photos(place: Path) -> Photos:
    """List the photographs in a folder (and the folders below it) or in a zip.

    Raises
    ------
    StudioError
        If the place does not exist, is damaged, or contains fewer than `LEAST_PHOTOS` pictures.
    """
    if place.is_dir():
        found = [file.relative_to(place).as_posix() for file in place.rglob("*")]
    else:
        with _archive(place) as archive:
            found = archive.namelist()
    names = tuple(sorted(filter(_is_picture, found)))
    if len(names) < LEAST_PHOTOS:
        pictures = f"{len(names)} picture" + "s" * (len(names) != 1)
        raise StudioError(
            f"{place} contains {pictures} ({', '.join(ENDINGS)}), but at least "
            f"{LEAST_PHOTOS} are needed; choose another folder or zip."
        )
    return Photos(place, names)


def _is_picture(name: str) -> bool:
    # In zips, macOS adds a file "._NAME" for each file, which is not a picture.
    return name.lower().endswith(ENDINGS) and not name.rsplit("/", 1)[-1].startswith("._")


def draw_crops(
    sources: Sequence[Photos],
    count: int,
    size: tuple[int, int],
    generator: torch.Generator,
) -> torch.Tensor:
    """Draw random crops, half of them mirrored: ``(count, 3, H, W)`` uint8.

    Each crop has the proportions of `size` and a random scale: at least `size` itself and
    `LEAST_CROP` of the largest crop that fits, at most that largest crop. Smaller photographs are
    enlarged.

    Parameters
    ----------
    sources
        Each source is drawn from equally often, no matter how many photographs it contains.
    size
        Height and width of the crops, in pixels.
    generator
        The generator of all random numbers.

    Raises
    ------
    StudioError
        If a photograph cannot be read.
    """
    with ExitStack() as stack:
        readers = [stack.enter_context(photos.reader()) for photos in sources]
        crops = []
        for _ in range(count):
            which, photo, scale, across, down, mirror = torch.rand(6, generator=generator).tolist()
            number = int(which * len(sources))
            picture = readers[number](int(photo * len(sources[number])))
            crop = _crop(picture, size, scale, across, down)
            if mirror < 0.5:
                crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            crops.append(torch.from_numpy(np.array(crop)))
    return torch.stack(crops).permute(0, 3, 1, 2).contiguous()


def _crop(
    picture: Image.Image, size: tuple[int, int], scale: float, across: float, down: float
) -> Image.Image:
    """Cut out the part at the fractions ``across`` and ``down``, and resize it."""
    height, width = size
    largest = min(picture.height / height, picture.width / width)
    least = min(largest, max(1.0, LEAST_CROP * largest))
    factor = least + (largest - least) * scale
    left = (picture.width - factor * width) * across
    top = (picture.height - factor * height) * down
    box = (left, top, left + factor * width, top + factor * height)
    return picture.resize((width, height), Image.Resampling.BICUBIC, box)
