"""What the panes of the canvas show: images of one lane, or of two and their difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldam_studio.engine.picture import (
    common_scale,
    difference_scale,
    difference_to_bytes,
    to_bytes,
)
from ldam_studio.gui.session.model import SIGNED
from ldam_studio.gui.theme.paint import qimage

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PyQt6.QtGui import QImage

    from ldam_studio.engine.frame import Frame
    from ldam_studio.engine.picture import Floats
    from ldam_studio.gui.canvas.viewport import Box
    from ldam_studio.gui.session.model import Display
    from ldam_studio.networks.network import PixelSpec

RAW, AVERAGE = 0, 1
TITLES_OF_ONE = ("Raw sample", "Running average")
TITLES_OF_TWO = ("A  Raw", "A  Average", "B  Raw", "B  Average", "B − A")


@dataclass(frozen=True)
class Shown:
    """The images of all panes, in their order, and what the neurons in them see.

    `scale` is that of the difference, in pixel units; None where there is no difference to show.
    """

    images: tuple[QImage | None, ...] = (None, None)
    fields: tuple[Box | None, ...] = (None, None)
    scale: float | None = None

    @property
    def titles(self) -> tuple[str, ...]:
        """What stands above the panes."""
        return TITLES_OF_ONE if len(self.images) == len(TITLES_OF_ONE) else TITLES_OF_TWO

    def has_the_panes_of(self, other: Shown) -> bool:
        """Return whether as many panes are shown, and the same of them are empty."""
        return [i is None for i in self.images] == [i is None for i in other.images]


def shown_of(frame: Frame, display: Display, pixels: PixelSpec) -> Shown:
    """Return what to show of a frame; both lanes are mapped as the first one's pixels are."""
    if frame.second is None:
        images = tuple(
            _image(image, display, pixels, display.scale) for image in (frame.raw, frame.average)
        )
        return Shown(images, (frame.field, frame.field))
    rows = ((frame.raw, frame.average), (frame.second.raw, frame.second.average))
    scales = [_scale(pair, display, pixels) for pair in zip(*rows, strict=True)]
    images = tuple(
        _image(image, display, pixels, scale)
        for row in rows
        for image, scale in zip(row, scales, strict=True)
    )
    apart, scale = _difference(frame.average, frame.second.average, pixels)
    fields = (frame.field, frame.field, frame.second.field, frame.second.field)
    common = frame.field if frame.field == frame.second.field else None
    return Shown((*images, apart), (*fields, common), scale)


def _scale(images: tuple[Floats | None, ...], display: Display, pixels: PixelSpec) -> float | None:
    if display.mode != SIGNED or display.scale is not None:
        return display.scale
    known = [image for image in images if image is not None]
    return common_scale(known, pixels) if known else None


def _image(
    image: NDArray | None, display: Display, pixels: PixelSpec, scale: float | None
) -> QImage | None:
    return None if image is None else qimage(to_bytes(image, pixels, display.mode, scale))


def _difference(
    first: Floats | None, second: Floats | None, pixels: PixelSpec
) -> tuple[QImage | None, float | None]:
    if first is None or second is None:
        return None, None
    apart = second - first
    scale = difference_scale(apart)
    return qimage(difference_to_bytes(apart, pixels, scale)), scale
