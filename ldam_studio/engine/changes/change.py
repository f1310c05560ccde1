"""Changes to a session: their names, their values, and which lane they are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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

URGENT = ("neurons", "network", "compare")
"""Changes after which nobody wants to see the result of a step that was begun before them."""


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
