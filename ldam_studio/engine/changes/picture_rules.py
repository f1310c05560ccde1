"""What changes with kept pictures mean for the outline of a session; see `engine.kept_pictures`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ldam_studio.engine.changes import chosen
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.kept_pictures import (
    KeptPicture,
    PictureNote,
    StartFrom,
    number_of,
    with_note,
)
from ldam_studio.errors import StudioError, plain

if TYPE_CHECKING:
    from ldam_studio.engine.outline import Outline


def keeping(pictures: Sequence[PictureNote], picture: KeptPicture) -> tuple[list[Change], int]:
    """Return the change that keeps a picture, none if it is kept already, and its number then."""
    number = number_of(pictures, picture.sha256)
    if number is not None:
        return [], number
    return [Change("picture", picture)], len(pictures)


def keep(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Keep an image, unless it is kept already."""
    kept: KeptPicture = change.value
    _check_fits(outline, kept.title, kept.shape)
    if number_of(outline.pictures, kept.sha256) is not None:
        return outline
    return replace(outline, pictures=with_note(outline, kept.note))


def rest(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Let L2 pull towards a kept picture, or towards the rest colour."""
    if change.value is not None:
        _check_kept(outline, change.value)
    return replace(outline, rest=change.value)


def start_from(outline: Outline, change: Change, _numbers: tuple[int, ...]) -> Outline:
    """Begin chains at a kept picture; they move then, and are not hot."""
    wanted: StartFrom = change.value
    _check_kept(outline, wanted.picture)
    if wanted.chains is None:
        return chosen.freed(outline)
    return chosen.begun(outline, chosen.chosen(wanted.chains, outline.chains, "begin at a picture"))


def _check_kept(outline: Outline, number: Any) -> None:
    """Check that a picture of this number is kept, for images of the size that chains have."""
    whole = isinstance(number, int) and not isinstance(number, bool)
    if not whole or not 0 <= number < len(outline.pictures):
        raise StudioError(
            f"There is no kept picture {number!r}; this session keeps {len(outline.pictures)}, "
            "numbered from 0."
        )
    kept = outline.pictures[number]
    _check_fits(outline, kept.title, kept.shape)


def _check_fits(outline: Outline, title: str, shape: tuple[int, ...]) -> None:
    network = outline.lanes[0].network
    if tuple(shape) != network.pixels.shape:
        raise StudioError(
            f"The picture {plain(title, 100)} has {' x '.join(map(str, shape))} values, but "
            f"{network.name} takes images of {' x '.join(map(str, network.pixels.shape))}; bring "
            "it again for this network."
        )
