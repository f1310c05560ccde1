"""Texts about ladders of temperatures. No Qt in here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ldam_studio.engine.frame import LadderFrame

ENOUGH = 10  # trials after which the rate of exchanges says something


class Ladder(NamedTuple):
    """One ladder from cold to hot.

    Attributes
    ----------
    chains
        The number of the chain on each rung.
    temperatures
        The temperature of each rung.
    rates
        The probability of exchanges between neighbours; NaN where it is not known yet.
    trips
        Number of images that came from the hottest rung to the coldest.
    place, ladders
        Which ladder it is, counted from 1, and how many there are.
    """

    chains: tuple[int, ...]
    temperatures: tuple[float, ...]
    rates: tuple[float, ...]
    trips: int
    place: int
    ladders: int


def ladder_of(frame: LadderFrame, chain: int) -> Ladder:
    """Return the ladder to which a chain belongs."""
    chains = np.flatnonzero(frame.cold == frame.cold[chain])
    chains = chains[np.argsort(frame.rung[chains])]
    rates = np.where(frame.tried >= ENOUGH, frame.rate, np.nan)[chains[1:]]
    colds = np.flatnonzero(frame.rung == 0)
    return Ladder(
        tuple(chains.tolist()),
        tuple(frame.temperature[chains].tolist()),
        tuple(rates.tolist()),
        int(frame.trips[chains[0]]),
        int(np.searchsorted(colds, chains[0])) + 1,
        len(colds),
    )


def ladder_words(ladder: Ladder) -> str:
    """Return a line about a ladder: its temperatures, exchanges, and what came down."""
    if len(ladder.chains) == 1:
        return "The chain in front is on no ladder: it is the only one left of its neuron."
    which = f"ladder {ladder.place} of {ladder.ladders}, " if ladder.ladders > 1 else ""
    low, high = ladder.temperatures[0], ladder.temperatures[-1]
    words = [f"{which}temperature {low:.2g} to {high:.2g} (× {high / low:.3g})"]
    rates = np.array(ladder.rates)
    if np.isnan(rates).any():
        words.append("exchanges are being counted")
    else:
        least, most = round(100 * rates.min()), round(100 * rates.max())
        between = f" ({least} to {most})" if least != most else ""
        words.append(f"exchanges {100 * rates.mean():.0f} %{between}")
    if ladder.trips:
        words.append(f"{ladder.trips:,} round trip{'s' * (ladder.trips > 1)}")
    text = "  ·  ".join(words)
    return text[0].upper() + text[1:]


def temperature_texts(temperatures: Sequence[float]) -> list[str]:
    """Return texts for the temperatures of rungs, with as few digits as tell neighbours apart."""
    for digits in (2, 3, 4):
        texts = [f"{temperature:.{digits}g}" for temperature in temperatures]
        if len(set(texts)) == len(texts):
            break
    return texts
