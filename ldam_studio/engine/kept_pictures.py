"""Pictures of a session: images that it keeps beside its chains, in `SessionState.pictures`.

Chains may begin at a kept picture, and L2 may pull towards one instead of towards the rest colour.
Pictures are numbered from 0 in the order in which they were kept, at most `MOST_PICTURES`; a number
stays valid, since none is removed except by undoing. An outline has a `PictureNote` of each.

Three changes use them (`engine.changes.pictures`):

- ``Change("picture", KeptPicture(...))`` keeps an image that comes from outside. The log has its
  SHA-256 (`PictureReference`), and a recipe has its values if they are wished there, or if it
  comes from no file (`engine.picture_values`). If the session keeps it already, nothing changes;
  `number_of` says where.
- ``Change("start_from", StartFrom(number, chains, spread))`` lets chains begin at a kept picture.
- ``Change("rest", number)`` lets L2 pull towards a kept picture; None: towards the rest colour.

A change that keeps an image computed from the state itself, such as the average of some chains,
appends `KeptPicture(pixels, title, origin)` to `state.pictures` and a `PictureNote` to the outline
(`with_note`). Its row in `CHANGES` says `reads_chains=True`, so that replay computes the steps
before it even if a restart follows; it logs how the image is computed, so replay needs no data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import torch
from msgspec import Meta, Struct
from torch import Tensor

from ldam_studio.engine.description import Kept, Place, Sha256, Text
from ldam_studio.errors import StudioError, plain
from ldam_studio.sampler.resize import resized

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline

MOST_PICTURES = 64
"""Pictures that a session keeps; those of 224 x 224 pixels take 39 MB together."""
MOST_TITLE = 200
MOST_VALUES = 2**24
"""Values of one kept picture: more than 2,000 x 2,000 pixels in colour."""

Side = Annotated[int, Meta(ge=1, le=16384)]
Pixel = Annotated[float, Meta(ge=-1e6, le=1e6)]


class PictureReference(Struct, frozen=True):
    """A picture that was brought from outside, as the log names it.

    `picture_file` is the file that it was read from, None if there is none. `minimum`, `maximum`
    and `rest` are black, white and rest colour of the network for which it was read, in pixel
    units; `inverted` tells whether black and white were exchanged, `order` which channels are red,
    green and blue, see `PixelSpec.shown`.
    """

    sha256: Sha256
    title: Text
    origin: Text
    shape: tuple[Side, Side, Side]
    minimum: Pixel = 0.0
    maximum: Pixel = 1.0
    rest: Pixel = 0.0
    picture_file: Place | None = None
    inverted: bool = False
    order: Annotated[tuple[Annotated[int, Meta(ge=0, le=2)], ...], Meta(max_length=3)] = ()

    def __post_init__(self) -> None:
        """Refuse what would not leave memory, whatever a file says."""
        channels, height, width = self.shape
        if channels * height * width > MOST_VALUES or not self.minimum < self.maximum:
            raise StudioError(
                f"A kept picture of {channels} x {height} x {width} values from {self.minimum:g} "
                f"to {self.maximum:g} makes no sense; export the picture again."
            )


class StartFrom(Struct, frozen=True):
    """Which chains begin at which kept picture.

    With `chains` None, all chains of all networks are restarted, with the session's seed, at the
    picture. Otherwise these chains, in ascending order, begin there, and the others go on. `spread`
    is the standard deviation of noise that is added to the picture, in pixel units, drawn from the
    random source "leave" of each chain, with the spectrum of the setting *Start spectrum*.
    """

    picture: Annotated[int, Meta(ge=0, lt=MOST_PICTURES)]
    chains: Kept | None = None
    spread: Annotated[float, Meta(ge=0, le=1000)] = 0.0


@dataclass(frozen=True)
class PictureNote:
    """What an outline says of a kept picture; `sha256` is empty while it is not yet computed."""

    title: str
    origin: str
    shape: tuple[int, ...]
    sha256: str = field(default="", compare=False)


@dataclass(frozen=True, eq=False)
class KeptPicture:
    """An image that a session keeps.

    Attributes
    ----------
    pixels
        Shape (C, H, W), float32, in pixel units at the network's size, on the CPU. It is never
        changed.
    title, origin
        What it is called, and where it comes from, in words: "photograph", "average".
    bounds, rest
        Black and white, and the rest colour, of the network that it is for.
    file, inverted
        The file that it was read from, if any, and whether black and white were exchanged.
    order
        Which channels are red, green and blue, see `PixelSpec.shown`.
    """

    pixels: Tensor
    title: str
    origin: str
    bounds: tuple[float, float] = (0.0, 1.0)
    rest: float = 0.0
    file: Path | None = None
    inverted: bool = False
    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Keep a copy in the one layout that has a hash."""
        pixels = self.pixels.detach().to("cpu", torch.float32).clone().contiguous()
        if pixels.dim() != 3 or pixels.numel() > MOST_VALUES or not bool(pixels.isfinite().all()):
            raise StudioError(
                f"The picture {plain(self.title, 100)} cannot be kept: it has values that are no "
                "numbers, or too many; choose another one."
            )
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "title", plain(self.title, MOST_TITLE))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        channels, height, width = self.pixels.shape
        return channels, height, width

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of its shape and values."""
        return hashlib.sha256(repr(self.shape).encode() + self.pixels.numpy().tobytes()).hexdigest()

    @property
    def note(self) -> PictureNote:
        """What an outline says of it."""
        return PictureNote(self.title, self.origin, self.shape, self.sha256)

    @property
    def reference(self) -> PictureReference:
        """How a log names it."""
        return PictureReference(
            self.sha256,
            self.title,
            self.origin,
            self.shape,
            *self.bounds,
            self.rest,
            None if self.file is None else str(self.file),
            self.inverted,
            self.order,
        )

    def at(self, size: tuple[int, int], device: torch.device | str) -> Tensor:
        """Return the picture (C, height, width) at a size, on a device."""
        key = (*size, str(device))
        if key not in self._sized:
            if len(self._sized) > 4:  # a schedule's sizes come one after the other
                self._sized.clear()
            self._sized[key] = resized(self.pixels[None].to(device), size)[0]
        return self._sized[key]

    @cached_property
    def _sized(self) -> dict[tuple[int, int, str], Tensor]:
        return {}


def of_reference(reference: PictureReference, pixels: Tensor) -> KeptPicture:
    """Return the picture of a reference, given its values (C, H, W).

    Raises
    ------
    StudioError
        If they are those of another picture.
    """
    found = KeptPicture(
        pixels,
        reference.title,
        reference.origin,
        (reference.minimum, reference.maximum),
        reference.rest,
        None if reference.picture_file is None else Path(reference.picture_file),
        reference.inverted,
        reference.order,
    )
    if found.sha256 != reference.sha256:
        raise StudioError(
            f"The picture {plain(reference.title, 100)} is not the one that was used (SHA-256 "
            f"{found.sha256[:12]}..., not {reference.sha256[:12]}...); restore the original file."
        )
    return found


def number_of(pictures: Sequence[KeptPicture | PictureNote], sha256: str) -> int | None:
    """Return the number of the picture with this SHA-256; None if it is not kept."""
    return next((n for n, kept in enumerate(pictures) if kept.sha256 == sha256), None)


def with_note(outline: Outline, note: PictureNote) -> tuple[PictureNote, ...]:
    """Return the notes of an outline with one more; `StudioError` if there are too many."""
    if len(outline.pictures) >= MOST_PICTURES:
        raise StudioError(
            f"A session keeps at most {MOST_PICTURES} pictures; undo some of them, or go on in a "
            "new session."
        )
    return (*outline.pictures, note)


def to_session_file(
    pictures: Sequence[KeptPicture],
) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """Return the pictures of a session as tensors by name, and the rest in JSON's types."""
    tensors = {f"pictures.{number}": kept.pixels for number, kept in enumerate(pictures)}
    return tensors, [msgspec.to_builtins(kept.reference) for kept in pictures]


def from_session_file(tensors: Mapping[str, Tensor], about: Any) -> tuple[KeptPicture, ...]:
    """Return the pictures that `to_session_file` wrote.

    Raises
    ------
    ValueError, KeyError, StudioError
        If the file is damaged.
    """
    kinds = Annotated[tuple[PictureReference, ...], Meta(max_length=MOST_PICTURES)]
    return tuple(
        of_reference(reference, tensors[f"pictures.{number}"])
        for number, reference in enumerate(msgspec.convert(about, kinds))
    )
