"""Changes to a session: what may be asked for, merged per setting, applied at a step's boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ldam_studio.sampler.settings import SETTINGS, is_of_chains

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
    "discriminator_rounds",  # int: lessons after each change of weights
    "precision",  # "float32": what bfloat16 does not suit goes on in; see `trial.try_again`
    "compare",  # engine.second.Second: put it beside the first lane; None: take it away
)
"""Changes whose order matters."""

OF_A_LANE = ("neurons", "network", "weights")
"""Structural changes that one lane can make by itself, as it can change its settings."""

OF_THE_FIRST = ("network", "weights")
"""Changes that go to the first lane where none is named: alike, lanes would not be compared."""


@dataclass(frozen=True)
class Change:
    """One thing that somebody asked for; see `STRUCTURAL` for names and values.

    Any setting of the chains may be changed, too: these changes commute, so that only the last
    value of each one counts.

    `lane` is the number of the lane it is for, None for all of them; see `OF_THE_FIRST`.
    """

    name: str
    value: Any = None
    lane: int | None = None

    @property
    def goes_to(self) -> int | None:
        """The number of the lane that it changes; None for all of them."""
        return 0 if self.lane is None and self.name in OF_THE_FIRST else self.lane

    @property
    def restarts(self) -> bool:
        """Whether the chains start anew with it, from the session's seed."""
        if self.name == "compare":
            return self.value is not None and self.value.restart
        return self.name in ("restart", "seed")


def merged(changes: Sequence[Change], change: Change) -> list[Change]:
    """Add `change` to changes of the same step, dropping what it makes void.

    An earlier change of the same name, for no other lane, is void if nothing that came after it can
    have depended on it: what came between are plain settings, or it is one that structural changes
    do not ask for.
    """
    kept = list(changes)
    for i in range(len(kept) - 1, -1, -1):
        if kept[i].name == change.name and change.goes_to in (None, kept[i].goes_to):
            del kept[i]
        elif _may_depend(kept[i], change):
            break
    return [*kept, change]


def _may_depend(between: Change, change: Change) -> bool:
    """Whether `between` can have depended on the value that `change` takes the place of."""
    if is_of_chains(between.name):
        return False
    if is_of_chains(change.name) and not SETTINGS[change.name].drawn_with:
        # A second lane begins with the first one's settings.
        return between.name == "compare" and change.lane is not None
    return True
