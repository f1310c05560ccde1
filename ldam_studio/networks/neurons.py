"""Addresses of neurons: the same words in the picker, on the command line and in a recipe.

``layer:index``
    a feature, or a channel, which stands for the unit at its centre (for tokens: their mean)
``layer:index@y,x``
    the channel's unit in that row and column of the layer's output
``layer:index@token``
    the feature of one token
``layer:index@mean``
    the mean over all places
``-layer:index``
    the same, to be made small instead of large
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ldam_studio.errors import StudioError

Place = tuple[int, ...] | str | None
"""Where in a layer: (y, x), (token,), "mean", or None for the default."""

MEAN = "mean"
_ADDRESS = re.compile(
    r"(?P<sign>-?)(?P<layer>[^:@]+):(?P<first>\d+)(-(?P<last>\d+))?"
    r"(@((?P<mean>mean)|(?P<y>\d+)(,(?P<x>\d+))?))?"
)


@dataclass(frozen=True)
class Neuron:
    """One unit of a network; `sign` is -1 where it is to be made small."""

    layer: str
    index: int
    place: Place = None
    sign: int = 1

    def __str__(self) -> str:
        """Return the address as it is typed, such as ``fc3:4``."""
        text = f"{'-' if self.sign < 0 else ''}{self.layer}:{self.index}"
        if self.place is None:
            return text
        return f"{text}@{self.place if isinstance(self.place, str) else _comma(self.place)}"

    @classmethod
    def parse(cls, text: str) -> Neuron:
        """Read an address such as ``fc3:4``; `StudioError` if it is none."""
        (neuron, *more) = parse_neurons(text)
        if more:
            raise StudioError(f"{text!r} names several neurons where one is wanted.")
        return neuron


def _comma(place: tuple[int, ...]) -> str:
    return ",".join(map(str, place))


def parse_neurons(text: str) -> list[Neuron]:
    """Read one address or a range of them: ``fc3:4`` or ``fc3:0-9``.

    Raises
    ------
    StudioError
        If the text is neither.
    """
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        raise StudioError(
            f"{text!r} is no neuron: write LAYER:NUMBER or LAYER:FIRST-LAST, such as fc3:4, and "
            "behind it @Y,X, @TOKEN or @mean for a place."
        )
    place: Place = found["mean"]
    if found["y"] is not None:
        place = tuple(int(found[n]) for n in ("y", "x") if found[n] is not None)
    first = int(found["first"])
    indices = range(first, int(found["last"] or first) + 1)
    if not indices:
        raise StudioError(f"The range {text!r} runs backwards: write the smaller number first.")
    if len(indices) > 100_000:
        raise StudioError(f"The range {text!r} is too long.")
    sign = -1 if found["sign"] else 1
    return [Neuron(found["layer"], index, place, sign) for index in indices]
