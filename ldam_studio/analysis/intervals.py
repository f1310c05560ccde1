"""How far a figure's numbers may be trusted: bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

RESAMPLES = 10_000
COVERED = 0.95

Statistic = Callable[[Tensor], Tensor]
"""Maps samples (..., n) to one number each (...)."""


@dataclass(frozen=True)
class Interval:
    """A statistic of some values, and where it lies in 95 of 100 resamples."""

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
    """Return the median over the last dimension, between the middle two of an even number."""
    return values.quantile(0.5, dim=-1)


def deviation(values: Tensor) -> Tensor:
    """Return the standard deviation over the last dimension, with n in the denominator."""
    return values.std(-1, correction=0)


def bootstrap(values: Sequence[float] | Tensor, statistic: Statistic, seed: int = 0) -> Interval:
    """Return a statistic of `values` (n,) with its percentile interval (Efron 1979).

    The values are drawn again with replacement, `RESAMPLES` times; the same seed draws the same.
    One value alone has an interval of no width, which says nothing.
    """
    sample = torch.as_tensor(values, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(sample), (RESAMPLES, len(sample)), generator=generator)
    return _interval(float(statistic(sample)), statistic(sample[drawn]))


def bootstrap_crossed(values: Tensor, seed: int = 0) -> Interval:
    """Return the mean of `values` (runs, neurons) with its percentile interval.

    Runs and neurons are drawn again independently of one another, each with replacement: what one
    run has in common, and what one neuron has, is as uncertain as there are few of them (Owen
    2007). Of a single run the neurons alone are drawn.
    """
    sample = torch.as_tensor(values, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    runs, neurons = (
        torch.randint(count, (RESAMPLES, count), generator=generator) for count in sample.shape
    )
    found = sample[runs[:, :, None], neurons[:, None, :]].mean((1, 2))
    return _interval(float(sample.mean()), found)


def _interval(value: float, found: Tensor) -> Interval:
    tail = (1 - COVERED) / 2
    low, high = found.quantile(torch.tensor([tail, 1 - tail], dtype=found.dtype)).tolist()
    return Interval(value, low, high)
