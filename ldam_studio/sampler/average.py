"""The running average of each chain's samples, its variance, and the average over chains."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Average:
    """Mean and population variance of each pixel, shape (chains, C, H, W).

    `count` (chains,) is the number of samples, `change` (chains,) the root-mean-square by which the
    last sample moved the mean.
    """

    mean: Tensor
    variance: Tensor
    count: Tensor
    change: Tensor


def init(x: Tensor) -> Average:
    """Return the average of no samples, for chains of shape x (chains, C, H, W)."""
    count = torch.zeros(len(x), dtype=torch.int64, device=x.device)
    return Average(torch.zeros_like(x), torch.zeros_like(x), count, count.float())


def update(average: Average, x: Tensor, window: int = 0) -> Average:
    """Return the average with one more sample of each chain.

    After n samples, the weight of the last one is 1/n, but never less than 1/`window`: the average
    is arithmetic at first, and forgets exponentially once the window is full. With a `window` of 0
    it never forgets. The variance follows West (1979), which holds for both weights.
    """
    count = average.count + 1
    weight = 1.0 / (count if window == 0 else count.clamp_max(window))
    column = weight.reshape(-1, 1, 1, 1)
    delta = x - average.mean
    shift = column * delta
    variance = torch.addcmul(average.variance, shift, delta).mul_(1 - column)
    change = torch.linalg.vector_norm(shift, dim=(1, 2, 3)) / x[0].numel() ** 0.5
    return Average(shift.add_(average.mean), variance, count, change)


def selected(kept: Tensor, average: Average, otherwise: Average) -> Average:
    """Return `average` for the chains in the mask `kept` (chains,), and `otherwise` for others."""
    column = kept.reshape(-1, 1, 1, 1)
    return Average(
        torch.where(column, average.mean, otherwise.mean),
        torch.where(column, average.variance, otherwise.variance),
        torch.where(kept, average.count, otherwise.count),
        torch.where(kept, average.change, otherwise.change),
    )


def of_chains(average: Average, chains: Tensor) -> Average:
    """Return an average in which each chain has that of another, by their numbers (chains,)."""
    return Average(
        average.mean[chains],
        average.variance[chains],
        average.count[chains],
        average.change[chains],
    )


def reset(average: Average, chains: Tensor | None = None) -> Average:
    """Discard the samples of `chains` (a mask of shape (chains,)), or of all chains."""
    if chains is None:
        chains = torch.ones_like(average.count, dtype=torch.bool)
    column = chains.reshape(-1, 1, 1, 1)
    return Average(
        average.mean.masked_fill(column, 0.0),
        average.variance.masked_fill(column, 0.0),
        average.count.masked_fill(chains, 0),
        average.change.masked_fill(chains, 0.0),
    )


def pooled(average: Average, groups: Tensor) -> Average:
    """Average over time and over the chains of each group.

    Parameters
    ----------
    groups
        Group number of each chain, (chains,); chains of the same neuron have the same number.

    Returns
    -------
    For every chain, its group's mean, variance (within and between chains) and number of samples.
    Chains are weighted by their number of samples.
    """
    count = _sum_by_group(average.count.to(average.mean.dtype), groups)
    weight = (average.count / count.clamp_min(1)).reshape(-1, 1, 1, 1)
    mean = _sum_by_group(weight * average.mean, groups)
    second = _sum_by_group(weight * (average.variance + average.mean.square()), groups)
    variance = (second - mean.square()).clamp_min(0.0)
    return Average(mean, variance, count.to(average.count.dtype), average.change)


def over_chains(x: Tensor, groups: Tensor, counted: Tensor | None = None) -> Average:
    """Average over the chains of each group at this moment; `count` is the number of chains.

    With a mask `counted` (chains,), only those chains count.
    """
    ones = torch.ones_like(groups) if counted is None else counted.to(groups.dtype)
    single = Average(x, torch.zeros_like(x), ones, torch.zeros_like(x[:, 0, 0, 0]))
    return pooled(single, groups)


def _sum_by_group(values: Tensor, groups: Tensor) -> Tensor:
    """Sum the rows of each group, and return for every row the sum of its group."""
    sums = torch.zeros(
        (int(groups.max()) + 1, *values.shape[1:]), dtype=values.dtype, device=values.device
    )
    return sums.index_add_(0, groups, values)[groups]
