"""Which picture of a session is exported, and how it is displayed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ldam_studio.engine.picture import (
    DISPLAYS,
    Bytes,
    Floats,
    at_largest_size,
    common_scale,
    difference_scale,
    difference_to_bytes,
    enlarge,
    grid,
    own_scale,
    to_bytes,
)
from ldam_studio.engine.state import Lane, SessionState
from ldam_studio.errors import StudioError
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.sampler.average import Average

MAX_ZOOM = 64
MOST_PIXELS = 89_478_485
"""Largest number of pixels of an exported picture; Pillow takes larger ones for an attack."""

KINDS = {
    "average": "the front chain's average",
    "raw": "the front chain's raw sample",
    "strip": "the raw samples of all chains",
    "averages": "the averages of all chains",
}
"""The pictures that can be exported."""
AVERAGES = ("average", "averages")
OF_ONE = ("average", "raw")
LANE_GAP = 3  # pixels between the pictures of two lanes


@dataclass(frozen=True)
class Shown:
    """Which picture of a session is exported, and how its pixels become bytes.

    `what` is one of `KINDS`; `front` is used only if one chain is shown. `display` and `scale` are
    those of `engine.picture.to_bytes`; pixels are repeated `zoom` times in both directions. With
    `field`, only the part of the image is shown that the front chain's neuron sees.
    """

    what: str = "average"
    front: int = 0
    display: str = "signed"
    scale: float | None = None
    zoom: int = 1
    field: bool = False

    def __post_init__(self) -> None:
        if self.what not in KINDS:
            raise StudioError(f"Only {', '.join(KINDS)} can be exported, not {self.what!r}.")
        if self.display not in DISPLAYS:
            raise StudioError(
                f"The display must be one of {', '.join(DISPLAYS)}, not {self.display!r}."
            )
        if not is_whole(self.zoom) or not 1 <= self.zoom <= MAX_ZOOM:
            raise StudioError(
                f"The zoom must be a whole number from 1 to {MAX_ZOOM}, not {self.zoom!r}."
            )
        if not is_whole(self.front) or self.front < 0:
            raise StudioError(
                f"The front chain must be a whole number of at least 0, not {self.front!r}."
            )
        if self.scale is not None and not (
            isinstance(self.scale, int | float) and 0 < self.scale < float("inf")
        ):
            raise StudioError(f"The display's scale must be a number above 0, not {self.scale!r}.")
        if not isinstance(self.field, bool) or (self.field and self.what not in OF_ONE):
            raise StudioError(
                f"What a neuron sees is shown of one chain ({', '.join(OF_ONE)}), not of "
                f"{self.what!r}."
            )

    def json(self) -> dict[str, Any]:
        """Return what a recipe stores; versions that know no `field` read it if there is none."""
        values = asdict(self)
        if not self.field:
            del values["field"]
        return values


@dataclass(frozen=True)
class Part:
    """The pictures of one lane, or the differences of its averages from those of the first one.

    Attributes
    ----------
    lane
        The lane's number.
    is_difference
        Whether it shows differences.
    chains
        The number of the chain in each picture.
    pictures
        Each of shape (H, W, 3).
    scales
        Display scale of each picture, in pixel units.
    """

    lane: int
    is_difference: bool
    chains: tuple[int, ...]
    pictures: tuple[Bytes, ...]
    scales: tuple[float, ...]


def parts_of(state: SessionState, shown: Shown) -> list[Part]:
    """Return the pictures that `shown` describes at zoom 1: those of each lane, then differences.

    Raises
    ------
    StudioError
        If there is no such chain, or its average has no sample yet.
    """
    chains = tuple(_chains(state, shown))
    return _parts(_rows(state, shown), chains, state.lane.network.pixels, shown)


def _parts(
    rows: list[Floats], chains: tuple[int, ...], pixels: PixelSpec, shown: Shown
) -> list[Part]:
    rows = at_largest_size(rows)
    # The pictures of one chain in all lanes share a scale, so that they can be compared.
    common = [
        common_scale(images, pixels) if shown.scale is None and len(rows) > 1 else shown.scale
        for images in zip(*rows, strict=True)
    ]
    parts = []
    for lane, row in enumerate(rows):
        scales = tuple(
            own_scale(image, pixels) if scale is None else scale
            for image, scale in zip(row, common, strict=True)
        )
        pictures = (
            to_bytes(image, pixels, shown.display, scale)
            for image, scale in zip(row, scales, strict=True)
        )
        parts.append(Part(lane, False, chains, tuple(pictures), scales))
    for lane, apart in enumerate(_differences(rows, shown), 1):
        scale = difference_scale(apart)
        pictures = (difference_to_bytes(image, pixels, scale) for image in apart)
        parts.append(Part(lane, True, chains, tuple(pictures), (scale,) * len(chains)))
    return parts


def picture_of(state: SessionState, shown: Shown) -> Bytes:
    """Return the picture (H, W, 3) that `shown` describes.

    With several lanes, the picture contains all of them, one after the other, with one display
    scale. Averages are followed by the differences between the other lanes and the first one.

    Raises
    ------
    StudioError
        If there is no such chain, its average has no sample yet, or the picture is too large.
    """
    return _sheet([part.pictures for part in parts_of(state, shown)], shown)


def composed(rows: list[Floats], pixels: PixelSpec, shown: Shown) -> Bytes:
    """Return the picture (H, W, 3) of each lane's images, (n, C, H, W); see `picture_of`.

    Raises
    ------
    StudioError
        If the picture is too large.
    """
    chains = tuple(range(len(rows[0])))
    return _sheet([part.pictures for part in _parts(rows, chains, pixels, shown)], shown)


def _sheet(parts: list[tuple[Bytes, ...]], shown: Shown) -> Bytes:
    sheets = [row[0] if len(row) == 1 else grid(row) for row in parts]
    beside = len(sheets) if len(parts[0]) == 1 else 1
    sheet = sheets[0] if len(sheets) == 1 else grid(sheets, beside, LANE_GAP)
    if sheet.shape[0] * sheet.shape[1] * shown.zoom**2 > MOST_PIXELS:
        raise StudioError(
            f"The picture would have more than {MOST_PIXELS / 1e6:,.0f} megapixels; choose a "
            "smaller zoom."
        )
    return enlarge(sheet, shown.zoom)


def can_show(state: SessionState, shown: Shown) -> bool:
    """Return whether there is such a chain, and all averages have samples; draws nothing."""
    if shown.what in OF_ONE and shown.front >= len(state.lane.neurons):
        return False
    chains = _chains(state, shown)
    averages = state.lanes if shown.what in AVERAGES else ()
    return all(_has_samples(lane.shown_average(), chains) for lane in averages)


def difference_scales(state: SessionState, shown: Shown) -> list[float]:
    """Return the display scale of each difference from the first lane, if these are shown."""
    rows = at_largest_size(_rows(state, shown))
    return [difference_scale(apart) for apart in _differences(rows, shown)]


def _differences(rows: list[Floats], shown: Shown) -> list[Floats]:
    return [row - rows[0] for row in rows[1:]] if shown.what in AVERAGES else []


def _chains(state: SessionState, shown: Shown) -> list[int]:
    """Return the chains that `shown` selects.

    Of chains on a ladder of temperatures, only the coldest have averages.
    """
    chains = len(state.lane.neurons)
    if shown.what in OF_ONE:
        if shown.front >= chains:
            raise StudioError(f"There are chains 1 to {chains}, not {shown.front + 1}.")
        return [shown.front]
    own = state.lane.own_chains
    if shown.what in AVERAGES and all(lane.own_chains == own for lane in state.lanes):
        return own
    return list(range(chains))


def _rows(state: SessionState, shown: Shown) -> list[Floats]:
    """Return the images (n, C, H, W) of each lane that `shown` selects."""
    chains = _chains(state, shown)
    return [_images(lane, shown, chains) for lane in state.lanes]


def _images(lane: Lane, shown: Shown, wanted: list[int]) -> Floats:
    if shown.what in AVERAGES:
        average = lane.shown_average()
        if not _has_samples(average, wanted):
            raise StudioError(
                "There is no average yet; let the chains run, or export the raw sample."
            )
        images = average.mean
    else:
        images = lane.chains.x
    images = images[wanted]
    if shown.field and (box := lane.targets.fields[shown.front]) is not None:
        top, left, bottom, right = box
        images = images[..., top:bottom, left:right]
    return images.detach().cpu().numpy().astype(np.float32)


def _has_samples(average: Average, wanted: list[int]) -> bool:
    return bool((average.count[wanted] > 0).all())


def is_whole(value: object) -> bool:
    """Return whether a value is an integer and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)
