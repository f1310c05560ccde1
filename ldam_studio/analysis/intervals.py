"""Intervals: how uncertain a figure's numbers are, by the bootstrap and, for shares, Wilson's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist

import torch
from torch import Tensor

RESAMPLES = 10_000
COVERED = 0.95

Statistic = Callable[[Tensor], Tensor]
"""Maps samples (..., n) to one number for each sample, (...)."""


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


def mean(values: Tensor) -> Tensor:
    """Return the mean over the last dimension."""
    return values.mean(-1)


def median(values: Tensor) -> Tensor:
    """Return the median over the last dimension; of an even number, the mean of the middle two."""
    return values.quantile(0.5, dim=-1)


def deviation(values: Tensor) -> Tensor:
    """Return the standard deviation over the last dimension, with n in the denominator."""
    return values.std(-1, correction=0)


def bootstrap(values: Sequence[float] | Tensor, statistic: Statistic, seed: int = 0) -> Interval:
    """Return a statistic of `values` (n,) with its percentile interval (Efron 1979).

    The values are resampled with replacement, `RESAMPLES` times; equal seeds draw equal resamples.
    The interval of a single value has no width and is meaningless.
    """
    sample = torch.as_tensor(values, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(sample), (RESAMPLES, len(sample)), generator=generator)
    return _interval(float(statistic(sample)), statistic(sample[drawn]))


def bootstrap_crossed(values: Tensor, seed: int = 0) -> Interval:
    """Return the mean of `values` (runs, neurons) with its percentile interval.

    Runs and neurons are resampled independently, each with replacement. The interval thus accounts
    for what all neurons of a run have in common, and for what all runs of a neuron have in common
    (Owen 2007). If there is a single run, only the neurons are resampled.
    """
    sample = torch.as_tensor(values, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    runs, neurons = (
        torch.randint(count, (RESAMPLES, count), generator=generator) for count in sample.shape
    )
    found = sample[runs[:, :, None], neurons[:, None, :]].mean((1, 2))
    return _interval(float(sample.mean()), found)


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
    z = NormalDist().inv_cdf((1 + COVERED) / 2)
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * (spread / trials + z**2 / (4 * trials**2)) ** 0.5
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def _interval(value: float, found: Tensor) -> Interval:
    tail = (1 - COVERED) / 2
    low, high = found.quantile(torch.tensor([tail, 1 - tail], dtype=found.dtype)).tolist()
    return Interval(value, low, high)
