"""Changes to a session: what may be asked for, merged per setting, applied at a step's boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ldam_studio.sampler.settings import SETTINGS, Settings

PLAIN = tuple(name for name in SETTINGS if hasattr(Settings, name))
"""Settings of the chains: they commute, so that only the last value of each one counts."""

STRUCTURAL = (
    "neurons",  # tuple[Neuron, ...], one per chain (one alone: for all chains)
    "network",  # Network
    "weights",  # Network: the one at hand with other weights, see `Network.with_weights`
    "discriminator",  # DiscriminatorModel or None
    "revert_discriminator",  # None: forget what was learned
    "chains",  # int
    "seed",  # int: restart with it
    "restart",  # None: the same start once more
    "reset_average",  # None, or "unfinished": only chains that are not burned in
    "melt",  # int: so many steps at 100 times the temperature
    "learn_every",  # int: steps between two lessons of the discriminator, 0 = none
)
"""Changes whose order matters."""

DRAWN_WITH = ("start_spread", "clamp")
"""Settings that a start is drawn with, so that structural changes may have depended on them."""


@dataclass(frozen=True)
class Change:
    """One thing that somebody asked for; see `PLAIN` and `STRUCTURAL` for names and values."""

    name: str
    value: Any = None


def merged(changes: Sequence[Change], change: Change) -> list[Change]:
    """Add `change` to changes of the same step, dropping what it makes void.

    An earlier change of the same name is void if nothing that came after it can have depended on
    it: what came between are plain settings, or it is one that structural changes do not ask for.
    """
    kept = list(changes)
    independent = change.name in PLAIN and change.name not in DRAWN_WITH
    for i in range(len(kept) - 1, -1, -1):
        if kept[i].name == change.name:
            del kept[i]
            break
        if kept[i].name not in PLAIN and not independent:
            break
    return [*kept, change]
