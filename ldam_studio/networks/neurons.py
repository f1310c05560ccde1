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

A layer is written with its name, whatever characters that has: what follows its last ":" is the
index. ``relu#2:5`` is neuron 5 in the second call of the module relu; see `anatomy.layers.Layer`. A
"+" comes before a name that begins with a sign.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from ldam_studio.errors import StudioError
from ldam_studio.networks.anatomy.objectives import Place, place_of, usages

MOST = 100_000  # neurons in one range
_ADDRESS = re.compile(
    r"(?P<sign>-|\+(?=[+-]))?(?P<layer>.+):(?P<first>\d+)(-(?P<last>\d+))?(@(?P<place>[^:]+))?",
    re.DOTALL,
)
_SIGN = re.compile(r"-|\+(?=[+-])")


@dataclass(frozen=True)
class Neuron:
    """A neuron and its objective; `sign` is -1 if the value is to be made small."""

    layer: str
    index: int
    place: Place = None
    sign: int = 1

    def __str__(self) -> str:
        """Return the address as it is typed, for example ``fc3:4``."""
        plus = "+" if _SIGN.match(self.layer) else ""
        text = f"{'-' if self.sign < 0 else plus}{self.layer}:{self.index}"
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
    found = _ADDRESS.fullmatch(text)
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
    sign = -1 if found["sign"] == "-" else 1
    return [Neuron(found["layer"], index, place, sign) for index in indices]


def typed_neurons(text: str, layers: Collection[str]) -> list[Neuron]:
    """Read what a person typed, as `parse_neurons` does; spaces around it do not count.

    They do if one of the `layers` is called so.
    """
    with suppress(StudioError):
        neurons = parse_neurons(text.rstrip())
        if neurons[0].layer in layers:
            return neurons
    return parse_neurons(text.strip())


def unsigned(text: str) -> str:
    """Return an address, or the beginning of one, without its sign."""
    sign = _SIGN.match(text)
    return text if sign is None else text[sign.end() :]


def _no_neuron(text: str) -> StudioError:
    return StudioError(
        f"{text!r} is not a neuron; write LAYER:NUMBER or LAYER:FIRST-LAST, for example fc3:4, "
        f"followed by {usages()} for a place."
    )
