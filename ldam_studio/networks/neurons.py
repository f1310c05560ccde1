"""Addresses of neurons, as in the picker, on the command line and in recipes.

``layer:index``
    a feature; or a channel, which means its unit at the centre (for tokens, the mean over them)
``layer:index@y,x``
    the channel's unit in that row and column of the layer's output
``layer:index@token``
    the feature of one token
``layer:index@mean``
    the mean over all places; `anatomy.objectives` lists everything that may follow the "@"
``-layer:index``
    the same neuron, to be made small instead of large
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ldam_studio.errors import StudioError
from ldam_studio.networks.anatomy.objectives import Place, place_of, usages

MOST = 100_000  # neurons in one range
_ADDRESS = re.compile(
    r"(?P<sign>-?)(?P<layer>[^:@]+):(?P<first>\d+)(-(?P<last>\d+))?(@(?P<place>.+))?"
)


@dataclass(frozen=True)
class Neuron:
    """A neuron and its objective; `sign` is -1 if the value is to be made small."""

    layer: str
    index: int
    place: Place = None
    sign: int = 1

    def __str__(self) -> str:
        """Return the address as it is typed, for example ``fc3:4``."""
        text = f"{'-' if self.sign < 0 else ''}{self.layer}:{self.index}"
        if self.place is None:
            return text
        return f"{text}@{self.place if isinstance(self.place, str) else _comma(self.place)}"

    @classmethod
    def parse(cls, text: str) -> Neuron:
        """Read an address, for example ``fc3:4``; `StudioError` if the text is not one."""
        (neuron, *more) = parse_neurons(text)
        if more:
            raise StudioError(f"{text!r} names several neurons, but only one is possible here.")
        return neuron


def _comma(place: tuple[int, ...]) -> str:
    return ",".join(map(str, place))


def parse_neurons(text: str) -> list[Neuron]:
    """Read one address or a range of them: ``fc3:4`` or ``fc3:0-9``.

    Raises
    ------
    StudioError
        If the text is neither, or the range is reversed or too long.
    """
    found = _ADDRESS.fullmatch(text.strip())
    if found is None:
        raise _no_neuron(text)
    place: Place = None
    if found["place"] is not None:
        try:
            place = place_of(found["place"])
        except StudioError:
            raise _no_neuron(text) from None
    first = int(found["first"])
    indices = range(first, int(found["last"] or first) + 1)
    if not indices:
        raise StudioError(f"The range {text!r} is reversed; write the smaller number first.")
    if len(indices) > MOST:
        raise StudioError(f"The range {text!r} is too long; at most {MOST:,} neurons are possible.")
    sign = -1 if found["sign"] else 1
    return [Neuron(found["layer"], index, place, sign) for index in indices]


def _no_neuron(text: str) -> StudioError:
    return StudioError(
        f"{text!r} is not a neuron; write LAYER:NUMBER or LAYER:FIRST-LAST, for example fc3:4, "
        f"followed by {usages()} for a place."
    )
