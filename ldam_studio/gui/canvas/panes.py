"""The images in the panes of the canvas: those of one lane, or of two and their difference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ldam_studio.engine.picture import (
    at_largest_size,
    common_scale,
    difference_scale,
    difference_to_bytes,
    to_bytes,
)
from ldam_studio.gui.canvas.layout import ONE_LANE, Cells, cells_for
from ldam_studio.gui.canvas.settled import Legend, over_average
from ldam_studio.gui.session.model import SIGNED
from ldam_studio.gui.theme.paint import qimage

if TYPE_CHECKING:
    from PyQt6.QtGui import QImage

    from ldam_studio.engine.frame import Frame, LaneFrame
    from ldam_studio.engine.picture import Floats
    from ldam_studio.gui.canvas.viewport import Box
    from ldam_studio.gui.session.model import Display
    from ldam_studio.networks.pixels import PixelSpec

RAW, AVERAGE = 0, 1
TITLES_OF_ONE = (("Raw sample", "Raw"), ("Running average", "Average"))
TITLES_BESIDE = (*TITLES_OF_ONE, ("Average − picture", "Difference"))
TITLES_OF_TWO = (("A  Raw",), ("A  Average",), ("B  Raw",), ("B  Average",), ("B − A",))


@dataclass(frozen=True)
class Shown:
    """The content of the panes.

    Attributes
    ----------
    images
        The image of each pane; None for an empty one.
    fields
        The receptive field of each pane's neuron, in pixels of the network's own size; None for the
        whole image.
    scale
        The difference, in pixel units, that is shown as black or white; None without a difference.
    legends
        What the colours of the first panes mean, where they show more than an image.
    """

    images: tuple[QImage | None, ...] = (None, None)
    fields: tuple[Box | None, ...] = (None, None)
    scale: float | None = None
    legends: tuple[Legend | None, ...] = ()

    @property
    def titles(self) -> tuple[tuple[str, ...], ...]:
        """The titles of the panes, each with its shorter forms for narrow panes."""
        every = (TITLES_OF_ONE, TITLES_BESIDE, TITLES_OF_TWO)
        return next(titles for titles in every if len(titles) == len(self.images))

    @property
    def cells(self) -> Cells:
        """The column and row of each pane."""
        return cells_for(len(self.images))

    def is_difference(self, number: int) -> bool:
        """Return whether a pane shows the difference of averages, or to a kept picture."""
        return number == len(self.images) - 1 >= len(ONE_LANE)

    def has_the_panes_of(self, other: Shown) -> bool:
        """Return whether both have the same number of panes, and the same ones are empty."""
        return [i is None for i in self.images] == [i is None for i in other.images]


def shown_of(frame: Frame, display: Display, pixels: PixelSpec) -> Shown:
    """Return the content of the panes for a frame; both lanes are displayed in the same way."""
    shown = _images_of(frame, display, pixels)
    if not display.settled:
        return shown
    images = list(shown.images)
    legends: list[Legend | None] = [None] * len(images)
    for number, lane in enumerate(frame.lanes):
        found, pane = lane.settled, 2 * number + AVERAGE
        if found is not None and found.by == display.settled and lane.average is not None:
            scale = _scale(tuple(each.average for each in frame.lanes), display, pixels)
            picture, legends[pane] = over_average(lane.average, found, pixels, display, scale)
            images[pane] = qimage(picture)
    return replace(shown, images=tuple(images), legends=tuple(legends))


def _images_of(frame: Frame, display: Display, pixels: PixelSpec) -> Shown:
    first, *others = frame.lanes
    if not others:
        images = tuple(
            _image(image, display, pixels, display.scale) for image in (first.raw, first.average)
        )
        field = _field(first, pixels)
        if first.rest is None:
            return Shown(images, (field, field))
        apart, scale = _difference(first.rest, first.average, pixels)
        return Shown((*images, apart), (field,) * 3, scale)
    other = others[0]
    rows = ((first.raw, first.average), (other.raw, other.average))
    scales = [_scale(pair, display, pixels) for pair in zip(*rows, strict=True)]
    images = tuple(
        _image(image, display, pixels, scale)
        for row in rows
        for image, scale in zip(row, scales, strict=True)
    )
    apart, scale = _difference(first.average, other.average, pixels)
    here, there = _field(first, pixels), _field(other, pixels)
    return Shown(
        (*images, apart), (here, here, there, there, here if here == there else None), scale
    )


def _field(frame: LaneFrame, pixels: PixelSpec) -> Box | None:
    """Return a receptive field in pixels of the network's own size, at which images are shown."""
    if frame.field is None:
        return None
    height, width = frame.raw.shape[1:]
    top, left, bottom, right = frame.field
    rows = (round(edge * pixels.height / height) for edge in (top, bottom))
    columns = (round(edge * pixels.width / width) for edge in (left, right))
    (top, bottom), (left, right) = rows, columns
    return top, left, bottom, right


def _scale(images: tuple[Floats | None, ...], display: Display, pixels: PixelSpec) -> float | None:
    if display.mode != SIGNED or display.scale is not None:
        return display.scale
    known = [image for image in images if image is not None]
    return common_scale(known, pixels) if known else None


def _image(
    image: Floats | None, display: Display, pixels: PixelSpec, scale: float | None
) -> QImage | None:
    return None if image is None else qimage(to_bytes(image, pixels, display.mode, scale))


def _difference(
    first: Floats | None, second: Floats | None, pixels: PixelSpec
) -> tuple[QImage | None, float | None]:
    if first is None or second is None:
        return None, None
    one, other = at_largest_size((first[None], second[None]))
    apart = (other - one)[0]
    scale = difference_scale(apart)
    return qimage(difference_to_bytes(apart, pixels, scale)), scale
