"""Intervals: how uncertain a figure's numbers are, by the bootstrap and, for shares, Wilson's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ldam_studio.explore.intervals import COVERED, Interval, wilson

RESAMPLES = 10_000

__all__ = [
    "Interval",
    "Statistic",
    "bootstrap",
    "bootstrap_crossed",
    "deviation",
    "mean",
    "median",
    "wilson",
]

Statistic = Callable[[Tensor], Tensor]
"""Maps samples (..., n) to one number for each sample, (...)."""


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


def _interval(value: float, found: Tensor) -> Interval:
    tail = (1 - COVERED) / 2
    low, high = found.quantile(torch.tensor([tail, 1 - tail], dtype=found.dtype)).tolist()
    return Interval(value, low, high)
