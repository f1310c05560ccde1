"""The running average of each chain's samples, its variance, and the average over chains."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Average:
    """Mean and population variance per pixel, shape (chains, C, H, W); samples seen, (chains,).

    `change` (chains,) is the root-mean-square by which the last sample moved the mean.
    """

    mean: Tensor
    variance: Tensor
    count: Tensor
    change: Tensor


def init(x: Tensor) -> Average:
    """Return the average of no samples of shape x (chains, C, H, W)."""
    count = torch.zeros(len(x), dtype=torch.int64, device=x.device)
    return Average(torch.zeros_like(x), torch.zeros_like(x), count, count.float())


def update(average: Average, x: Tensor, window: int = 0) -> Average:
    """Take one sample of each chain into account.

    With n samples seen, the new one weighs 1/n, but never less than 1/`window`: the average is
    arithmetic at first and forgets exponentially once the window is full. 0 never forgets.
    The variance follows West (1979), which holds for both weights.
    """
    count = average.count + 1
    weight = 1.0 / (count if window == 0 else count.clamp_max(window))
    column = weight.reshape(-1, 1, 1, 1)
    delta = x - average.mean
    shift = column * delta
    variance = torch.addcmul(average.variance, shift, delta).mul_(1 - column)
    change = torch.linalg.vector_norm(shift, dim=(1, 2, 3)) / x[0].numel() ** 0.5
    return Average(average.mean + shift, variance, count, change)


def reset(average: Average, chains: Tensor | None = None) -> Average:
    """Forget the samples of `chains` (a mask of shape (chains,)), or of all.

    The first sample afterwards weighs 1, so mean and variance need not be cleared for it.
    """
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
        (chains,), the same number for chains of the same neuron.

    Returns
    -------
    For every chain its group's mean, its variance (within and between chains) and sample count;
    chains count in proportion to their samples.
    """
    count = _sum_by_group(average.count.to(average.mean.dtype), groups)
    weight = (average.count / count.clamp_min(1)).reshape(-1, 1, 1, 1)
    mean = _sum_by_group(weight * average.mean, groups)
    second = _sum_by_group(weight * (average.variance + average.mean.square()), groups)
    variance = (second - mean.square()).clamp_min(0.0)
    return Average(mean, variance, count.to(average.count.dtype), average.change)


def over_chains(x: Tensor, groups: Tensor) -> Average:
    """Average the chains of each group at this moment; `count` is the number of chains."""
    single = Average(
        x, torch.zeros_like(x), torch.ones_like(groups), torch.zeros_like(x[:, 0, 0, 0])
    )
    return pooled(single, groups)


def _sum_by_group(values: Tensor, groups: Tensor) -> Tensor:
    """Sum rows of the same group and give every row its group's sum."""
    sums = torch.zeros(
        (int(groups.max()) + 1, *values.shape[1:]), dtype=values.dtype, device=values.device
    )
    return sums.index_add_(0, groups, values)[groups]
