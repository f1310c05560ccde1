"""How pixels become a network's input."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

from ldam_studio.errors import StudioError

if TYPE_CHECKING:
    from torch import Tensor

LEVELS = 255
"""White in pictures of 8 bits; black is 0."""


class UnknownInputError(StudioError):
    """The images that a network takes are unknown; the user has to describe them."""


IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""What torchvision's recipes subtract from pixels between 0 and 1, and what they divide by."""


@dataclass(frozen=True)
class PixelSpec:
    """How pixels become a network's input: (pixel - mean) / std, one mean and std per channel.

    Attributes
    ----------
    channels, height, width
        The size of its images, in pixels.
    mean, std
        What is subtracted from each channel, and what divides it, (C,).
    rest
        The colour towards which L2 pulls, in pixel units; black unless it is given.
    minimum, maximum
        Black and white in pixel units: the range of real images.
    shown
        The channels, counted from 0, that a picture shows: one as grey, two as red and cyan, three
        as red, green and blue. Empty means the first ones.

    Raises
    ------
    StudioError
        If a size is none, mean and std are not those of as many channels, a std is not above 0, a
        number is not finite, or `rest` lies outside the range.
    """

    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    rest: float = 0.0
    minimum: float = 0.0
    maximum: float = 1.0
    shown: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return self.channels, self.height, self.width

    @property
    def side(self) -> int:
        """The number of pixels along the shorter side."""
        return min(self.height, self.width)

    def at_side(self, side: int) -> PixelSpec:
        """Return the same input for larger or smaller images, whose shorter side has `side` pixels.

        The longer side keeps its ratio to the shorter one, rounded.
        """
        height, width = (round(n * side / self.side) for n in (self.height, self.width))
        return replace(self, height=height, width=width)

    @property
    def bounds(self) -> tuple[float, float]:
        """The range of real images' pixels."""
        return self.minimum, self.maximum

    @property
    def picture(self) -> tuple[int, ...]:
        """The one, two or three channels that a picture shows."""
        return self.shown or tuple(range(min(self.channels, 3)))

    def from_0_to_1(self) -> PixelSpec:
        """Return the same input for pixels from 0 (black) to 1 (white).

        With such pixels, settings in pixel units mean the same on every network.
        """
        if self.bounds == (0.0, 1.0):
            return self
        span = self.maximum - self.minimum
        return replace(
            self,
            mean=tuple((mean - self.minimum) / span for mean in self.mean),
            std=tuple(std / span for std in self.std),
            rest=(self.rest - self.minimum) / span,
            minimum=0.0,
            maximum=1.0,
        )

    def __post_init__(self) -> None:
        sizes = (self.channels, self.height, self.width)
        if not all(isinstance(size, Integral) for size in sizes):
            raise StudioError(
                f"An input of {' x '.join(map(str, sizes))} makes no sense; sizes must be whole "
                "numbers."
            )
        if min(sizes) < 1 or max(sizes) > 16384:
            raise StudioError(
                f"An input of {' x '.join(map(str, sizes))} makes no sense; sizes must be from 1 "
                "to 16384."
            )
        if len(self.mean) != self.channels or len(self.std) != self.channels:
            raise StudioError(
                f"Mean and std need one number for each channel, {self.channels} in all, not "
                f"{len(self.mean)} and {len(self.std)}."
            )
        numbers = (*self.mean, *self.std, self.rest, *self.bounds)
        if not all(math.isfinite(number) for number in numbers):
            raise StudioError("An input's mean, std, rest colour and range must be finite numbers.")
        if min(self.std) <= 0 or not self.minimum < self.maximum:
            raise StudioError(
                "Every std must be above 0, and the range's minimum must be below its maximum."
            )
        if not self.minimum <= self.rest <= self.maximum:
            raise StudioError(
                f"The rest colour {self.rest:g} lies outside the range of pixels, {self.minimum:g} "
                f"to {self.maximum:g}."
            )
        if len(self.shown) > 3 or not all(0 <= c < self.channels for c in self.shown):
            raise StudioError(
                f"A picture shows one to three of the channels 0 to {self.channels - 1}, not "
                f"{', '.join(map(str, self.shown))}."
            )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> PixelSpec:
        """Read the result of `dataclasses.asdict`; `StudioError` for anything else."""
        try:
            fitted = dict(values)
            for name in ("channels", "height", "width"):
                whole = fitted[name]
                # Whole numbers of a library's own type become Python's, as JSON needs.
                fitted[name] = int(whole) if isinstance(whole, Integral) else whole
            for name in ("mean", "std"):
                fitted[name] = tuple(float(v) for v in fitted[name])
            fitted["shown"] = tuple(int(c) for c in fitted.get("shown", ()))
            return cls(**fitted)
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
            raise StudioError(
                f"The description of the input is incomplete or damaged ({error})."
            ) from None


def of_levels(levels: Tensor, bounds: tuple[float, float]) -> Tensor:
    """Return pixels in pixel units for levels from 0 (`bounds[0]`) to `LEVELS`, uint8."""
    low, high = bounds
    return low + (high - low) * (levels.float() / LEVELS)
