r"""Parallel tempering: chains at a ladder of temperatures that exchange their images.

Chains of one neuron form a ladder. The coldest has the temperature T_0 that was asked for; each
further one, the next *rung*, is hotter by a factor exp(gap). Hot chains cross from one kind of
image to another, and neighbours exchange images with the probability min(1, A) that leaves the law
of every rung as it is (Geyer, "Markov chain Monte Carlo maximum likelihood", 1991; Hukushima and
Nemoto, "Exchange Monte Carlo method and application to spin glass simulations", 1996):

    log A = (1/T_i - 1/T_j) (U(x_j) - U(x_i))

Chains i and j may also have different weights of the terms. With the factor f_ik and the value
v_k(x) of term k, U_i = sum_k f_ik v_k, and what is compared is

    log A = sum_k (f_ik / T_i - f_jk / T_j) (v_k(x_j) - v_k(x_i))

Even and odd pairs of neighbours take turns (Okabe et al., "Replica-exchange Monte Carlo method for
the isobaric-isothermal ensemble", 2001), which carries images up and down the ladder faster than
random pairs do.

The ladder sets itself. Each gap follows, by stochastic approximation, the probability with which
its two chains exchange (Miasojedow, Moulines and Vihola, "An adaptive parallel tempering
algorithm", 2013):

    log gap  +=  n^(-0.6) (min(1, A) - 0.3)

after its n-th trial. T_0 never changes, and since the changes become ever smaller, the law of the
coldest chain stays exp(U / T_0). For a Gaussian in d dimensions, U has the variance d T^2 / 2, so
that the mean of min(1, A) is erfc(gap sqrt(d / 8)) for small gaps; gaps start where that is 0.3. A
ladder for more pixels therefore needs more rungs to reach the same temperature.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

WANTED = 0.3
"""The probability of an exchange that gaps are set for."""
BAND = (0.2, 0.4)
"""The probabilities of an exchange that are good."""
SLOWING = 0.6
"""How fast the changes of gaps become smaller: the power of the number of trials."""
REMEMBERED = 200
"""Number of trials over which the displayed probability is averaged."""
LEAST_GAP, MOST_GAP = 1e-4, math.log(10.0)
MOST_WARMTH = math.log(1000.0)
"""How many times hotter than the coldest chain a rung may be, as a logarithm."""


@dataclass(frozen=True)
class Ladders:
    """Which chains form ladders; fixed as long as the number of chains and their neurons are.

    `rungs` has the rung of each chain, 0 for the coldest. The tensors (chains,) have the numbers of
    chains: of the next colder and the next hotter chain (its own where there is none), and of the
    coldest chain of the ladder. `table` (ladders, rungs) has the chains of each ladder from cold to
    hot, and repeats the last one if a ladder is short; `place` (chains,) is a chain's place in it.
    """

    rungs: tuple[int, ...]
    below: Tensor
    above: Tensor
    cold: Tensor
    table: Tensor
    place: Tensor

    @property
    def is_cold(self) -> Tensor:
        """A mask of the coldest chains, (chains,)."""
        return self.place % self.table.shape[1] == 0

    @property
    def cold_chains(self) -> list[int]:
        """The numbers of the coldest chains."""
        return [chain for chain, rung in enumerate(self.rungs) if not rung]


@dataclass(frozen=True)
class Tempering:
    """The ladders at one moment; tensors have shape (chains,) and tell of a chain's own rung.

    Attributes
    ----------
    coldest
        The temperature that it would have as the coldest chain of its ladder.
    gap
        Logarithm of the ratio of its temperature to that of the next colder rung; no meaning for
        the coldest one.
    tried
        Number of trials to exchange with the next colder rung since gaps were last set free.
    rate
        Mean probability of such an exchange, over the last trials.
    descending
        Whether its image was on the hottest rung since it was last on the coldest.
    trips
        Number of images that have arrived at the coldest rung from the hottest; counted there.
    """

    ladders: Ladders
    coldest: Tensor
    gap: Tensor
    tried: Tensor
    rate: Tensor
    descending: Tensor
    trips: Tensor

    def warmth(self) -> Tensor:
        """Return the ratio of each chain's temperature to that of its coldest chain, (chains,)."""
        ladders = self.ladders
        gaps = self.gap[ladders.table]
        gaps[:, 0] = 0.0
        return gaps.cumsum(1).clamp_max(MOST_WARMTH).flatten()[ladders.place].exp()

    def temperature(self) -> Tensor:
        """Return the temperature of each chain, (chains,)."""
        return self.coldest * self.warmth()

    def unsettled(self) -> Tempering:
        """Return the same ladders, whose gaps change fast again because the density has changed."""
        return replace(self, tried=torch.zeros_like(self.tried))


def members(groups: Sequence[object], rungs: int) -> list[list[int]]:
    """Return the chains of each ladder from cold to hot: in order, so many of each group at most.

    Parameters
    ----------
    groups
        What each chain has in common with the others of its ladder.
    """
    of_group: dict[object, list[int]] = {}
    for chain, group in enumerate(groups):
        of_group.setdefault(group, []).append(chain)
    return [
        chains[first : first + rungs]
        for chains in of_group.values()
        for first in range(0, len(chains), rungs)
    ]


def ladders_of(groups: Sequence[object], rungs: int, device: torch.device | str) -> Ladders | None:
    """Return the ladders of chains; None if no two chains are of one group."""
    found = members(groups, rungs)
    longest = max(map(len, found))
    if longest < 2:
        return None
    count = len(groups)
    rung, cold, place = [0] * count, [0] * count, [0] * count
    below, above = list(range(count)), list(range(count))
    for row, chains in enumerate(found):
        for number, chain in enumerate(chains):
            rung[chain], cold[chain], place[chain] = number, chains[0], row * longest + number
            if number:
                below[chain], above[chains[number - 1]] = chains[number - 1], chain
    table = [chains + chains[-1:] * (longest - len(chains)) for chains in found]

    def tensor(values: Sequence[object]) -> Tensor:
        return torch.tensor(values, device=device)

    return Ladders(
        tuple(rung), tensor(below), tensor(above), tensor(cold), tensor(table), tensor(place)
    )


def begin(ladders: Ladders, values: int) -> Tempering:
    """Return ladders from temperature 1, with the gaps of a Gaussian of so many pixel values."""
    none = torch.zeros(ladders.below.shape, device=ladders.below.device)
    gap = min(1.0, 1.4658 * math.sqrt(2 / values))  # erfc(1.4658 / 2) = 0.3
    no, count = none.bool(), none.long()
    ones = torch.ones_like(none)
    return Tempering(ladders, ones, ones * gap, count, none, no, count)


@dataclass(frozen=True)
class Exchange:
    """Which image each chain gets: that of chain `order`, (chains,)."""

    order: Tensor
    tempering: Tempering


def exchange(
    tempering: Tempering,
    values: Tensor,
    factors: Tensor,
    drawn: Tensor,
    turn: int,
    *,
    still: Tensor | None = None,
    adapting: bool = True,
) -> Exchange:
    """Try to exchange the images of every second pair of neighbours; see the module.

    Parameters
    ----------
    values, factors
        The terms' values at the chains' images and their factors in U, (terms, chains).
    drawn
        One number in [0, 1) for each chain; a pair uses that of the hotter chain.
    turn
        Even or odd: which pairs it is the turn of.
    still
        Chains that exchange nothing, (chains,); None if there are none.
    adapting
        Whether gaps change.
    """
    ladders = tempering.ladders
    below, above = ladders.below, ladders.above
    own = torch.arange(len(below), device=below.device)
    rung = ladders.place % ladders.table.shape[1]
    # At temperature 0, which a schedule may reach, nothing is known of how two chains compare.
    tries = (below != own) & (rung % 2 == turn % 2) & (tempering.coldest > 0)
    if still is not None:
        tries &= ~(still | still[below])
    weights = factors / tempering.temperature()
    log_a = ((weights - weights[:, below]) * (values[:, below] - values)).sum(0)
    chance = log_a.clamp_max(0.0).exp().nan_to_num(0.0)
    passed = tries & (drawn < chance)
    # A chain takes part in one pair at most, since pairs take turns.
    order = torch.where(passed, below, torch.where(passed[above] & (above != own), above, own))

    tried = tempering.tried + tries
    off = chance - tempering.rate
    rate = tempering.rate + torch.where(tries, off / tried.clamp(1, REMEMBERED), 0.0)
    gap = tempering.gap
    if adapting:
        pace = tried.clamp_min(1).to(gap.dtype) ** -SLOWING
        moved = gap * (pace * (chance - WANTED)).exp()
        gap = torch.where(tries, moved.clamp(LEAST_GAP, MOST_GAP), gap)
    hottest = (above == own) & (below != own)
    descending = tempering.descending[order] | hottest
    arrived = (below == own) & (above != own) & descending
    return Exchange(
        order,
        replace(
            tempering,
            gap=gap,
            tried=tried,
            rate=rate,
            descending=descending & ~arrived,
            trips=tempering.trips + arrived,
        ),
    )
