"""How pixels become a network's input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ldam_studio.errors import StudioError


class UnknownInputError(StudioError):
    """Nothing tells what images a network takes; whoever opens it has to say."""


@dataclass(frozen=True)
class PixelSpec:
    """How pixels become a network's input: (pixel - mean) / std, one mean and std per channel.

    `rest` is the colour that L2 pulls towards; `minimum` and `maximum` bound real images. All in
    pixel units (0 = black, 1 = white).
    """

    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    rest: float = 0.0
    minimum: float = 0.0
    maximum: float = 1.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return self.channels, self.height, self.width

    @property
    def bounds(self) -> tuple[float, float]:
        """The range of real images' pixels."""
        return self.minimum, self.maximum

    def __post_init__(self) -> None:
        sizes = (self.channels, self.height, self.width)
        if min(sizes) < 1 or max(sizes) > 16384:
            raise StudioError(f"An input of {' x '.join(map(str, sizes))} makes no sense.")
        if len(self.mean) != self.channels or len(self.std) != self.channels:
            raise StudioError(
                f"Mean and std need one number for each of the {self.channels} channels, not "
                f"{len(self.mean)} and {len(self.std)}."
            )
        if min(self.std) <= 0 or not self.minimum < self.maximum:
            raise StudioError("Every std must be above 0, and the range's minimum below its end.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> PixelSpec:
        """Read what `dataclasses.asdict` wrote; `StudioError` if it is something else."""
        try:
            fitted = dict(values)
            for name in ("mean", "std"):
                fitted[name] = tuple(float(v) for v in fitted[name])
            return cls(**fitted)
        except (KeyError, TypeError, ValueError) as error:
            raise StudioError(f"The input's description is damaged ({error}).") from None
