"""What the value of a neuron can be: how addresses write it, and how it is computed from a layer.

To add an objective, write its row and add it to `OBJECTIVES`. Addresses, their help, the sampler,
recipes and exports then support it. The sign of the address says whether the value is made large or
small.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ldam_studio.errors import StudioError

Place = tuple[int, ...] | str | None
"""What follows the "@" of an address: the place (y, x) or (token,) of one unit, or the text of
another objective. None is the layer's default."""

MEAN = "mean"


@dataclass(frozen=True)
class ObjectiveKind:
    """One row of `OBJECTIVES`.

    Attributes
    ----------
    usage
        How an address writes it, for example ``@mean``.
    about
        What the value is.
    pattern
        The regular expression for the text after the "@".
    values
        Takes a layer's output with its neurons in the second dimension, (n, neurons, *places), and
        the text after the "@"; returns the differentiable value of every neuron, (n, neurons). None
        for one unit of the output, which needs no computation.
    needs_places
        Whether it makes sense only in layers that have places.
    """

    usage: str
    about: str
    pattern: str
    values: Callable[[Tensor, str], Tensor] | None = None
    needs_places: bool = True


def mean_over_places(output: Tensor, _text: str) -> Tensor:
    """Return the mean over all places: (n, neurons, *places) -> (n, neurons)."""
    return output.flatten(2).mean(2) if output.ndim > 2 else output


UNIT = ObjectiveKind("@Y,X or @TOKEN", "the unit at that place", r"\d+(,\d+)?")

OBJECTIVES: tuple[ObjectiveKind, ...] = (
    UNIT,
    ObjectiveKind("@mean", "the mean over all places", MEAN, mean_over_places),
)
"""The table of objectives. The default is the unit at the centre, or for tokens their mean."""


def kind_of(text: str) -> ObjectiveKind:
    """Return the row for the text after an "@"; `StudioError` if there is none."""
    for kind in OBJECTIVES:
        if re.fullmatch(kind.pattern, text):
            return kind
    raise StudioError(f"There is no objective @{text}; use {usages()}.")


def place_of(text: str) -> Place:
    """Return the place for the text after an "@"; `StudioError` if the text is not valid."""
    is_unit = kind_of(text) is UNIT
    return tuple(int(number) for number in text.split(",")) if is_unit else text


def usages() -> str:
    """Return a list of all objectives in words, as an address writes them."""
    return _listed([kind.usage for kind in OBJECTIVES])


def explained() -> str:
    """Return the same list with what each objective is."""
    return _listed([f"{kind.usage} ({kind.about})" for kind in OBJECTIVES])


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"
