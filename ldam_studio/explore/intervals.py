"""How uncertain a share is: Wilson's interval."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import NormalDist

import torch
from torch import Tensor

COVERED = 0.95


@dataclass(frozen=True)
class Interval:
    """A statistic of some values, and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return the numbers with three decimals."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def json(self) -> dict[str, float]:
        """Return the numbers in JSON's types."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def wilson(hits: Tensor, groups: Tensor) -> Interval:
    """Return the share of `hits` (n,), which are 0 or 1, with Wilson's interval (1927).

    Hits of one group (n,), such as several pictures of one class, resemble each other, so that they
    count for less than n independent ones. The interval is that of so many independent hits as
    have the variance of the share over the groups (Dean and Pagano 2015): at least the number of
    groups, at most n.
    """
    sample = hits.double()
    numbers = groups.unique(return_inverse=True)[1]
    count, share = len(sample), float(sample.mean())
    kinds = int(numbers.max()) + 1
    spread = share * (1 - share)
    sums = torch.zeros(kinds, dtype=torch.float64).index_add(0, numbers, sample - share)
    variance = float(sums.square().sum()) * kinds / max(kinds - 1, 1) / count**2
    trials = float(kinds)
    if spread > 0:
        trials = min(max(trials, spread / variance), count) if variance > 0 else float(count)
    return _wilson(share, trials)


def share_of(count: int, total: int) -> Interval:
    """Return the share of `count` in `total` independent ones, at least 1, with its interval."""
    return _wilson(count / total, total)


def _wilson(share: float, trials: float) -> Interval:
    z, spread = NormalDist().inv_cdf((1 + COVERED) / 2), share * (1 - share)
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * (spread / trials + z**2 / (4 * trials**2)) ** 0.5
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))
