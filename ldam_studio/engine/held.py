"""Held chains: they neither move nor give samples, while the others go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ldam_studio.engine.state import Lane
from ldam_studio.sampler import burn_in, kernels
from ldam_studio.sampler.average import Average


def rested(moved: Lane, before: Lane, held: Tensor) -> Lane:
    """Return a lane after a step that the chains `held`, a mask (chains,), did not take.

    All chains draw their noise, so that holding some changes nothing of the others.
    """
    memory = {
        # A chain that was held from the start has no memory yet.
        name: _where(held, before.chains.memory.get(name, new), new)
        for name, new in moved.chains.memory.items()
    }
    return replace(
        moved,
        chains=kernels.State(_where(held, before.chains.x, moved.chains.x), memory),
        average=_average(held, before.average, moved.average),
        progress=burn_in.stay(moved.progress, before.progress, held),
    )


def carried(lane: Lane, before: Lane, chains: Sequence[int], former: Sequence[int]) -> Lane:
    """Return a lane that began anew, in which held chains have the averages that they had.

    Parameters
    ----------
    chains, former
        The numbers of the held chains in `lane`, and those that they had `before`.
    """
    if not chains or lane.sized.pixels.shape != before.sized.pixels.shape:
        return lane
    here, there = list(chains), list(former)

    def put(new: Tensor, old: Tensor) -> Tensor:
        new = new.clone()
        new[here] = old[there]
        return new

    mean, progress = lane.average, lane.progress
    return replace(
        lane,
        average=Average(
            put(mean.mean, before.average.mean),
            put(mean.variance, before.average.variance),
            put(mean.count, before.average.count),
            mean.change,
        ),
        progress=replace(
            progress,
            done=put(progress.done, before.progress.done),
            steady=put(progress.steady, before.progress.steady),
        ),
    )


def _average(held: Tensor, before: Average, moved: Average) -> Average:
    return Average(
        _where(held, before.mean, moved.mean),
        _where(held, before.variance, moved.variance),
        _where(held, before.count, moved.count),
        moved.change.masked_fill(held, 0.0),
    )


def _where(held: Tensor, before: Tensor, moved: Tensor) -> Tensor:
    return torch.where(held.reshape(-1, *(1,) * (moved.dim() - 1)), before, moved)
