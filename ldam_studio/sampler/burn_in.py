"""Burn-in: deciding when a chain no longer depends on its start.

A chain is *steady* when two successive means of `BLOCK` samples of its activation differ by less
than two pooled standard errors. It is *burned in* once it is steady and the mean of a block is
above its threshold, or after a fixed number of steps if the user has set one. A change of a setting
makes a chain unsteady again (*settling*), but it stays burned in, so that annealing remains smooth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

BLOCK = 50
STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class BurnIn:
    """Progress of every chain; all tensors have shape (chains,).

    `total` and `squares` are sums over the current block (`filled` samples so far). `mean` and
    `variance` are those of the previous block, NaN if there is none. `steps` counts the steps since
    the start. `over` means that a fixed number of steps has passed, so that all chains are `done`;
    the host knows this without waiting for the device.
    """

    steps: int
    filled: int
    total: Tensor
    squares: Tensor
    mean: Tensor
    variance: Tensor
    steady: Tensor
    done: Tensor
    over: bool = False

    @property
    def settling(self) -> Tensor:
        """Chains that are burned in, but not steady at the present settings."""
        return self.done & ~self.steady


def init(chains: int, device: torch.device | str = "cpu") -> BurnIn:
    """Return the progress of chains that have just started."""
    zeros = torch.zeros(chains, device=device)
    nans = torch.full_like(zeros, torch.nan)
    no = torch.zeros(chains, dtype=torch.bool, device=device)
    return BurnIn(0, 0, zeros, zeros, nans, nans, no, no)


def disturb(progress: BurnIn) -> BurnIn:
    """Mark every chain as unsteady because a setting has changed, and start a new block."""
    fresh = init(len(progress.done), progress.done.device)
    return replace(fresh, steps=progress.steps, done=progress.done, over=progress.over)


def begin_again(progress: BurnIn, chains: Tensor) -> BurnIn:
    """Return the progress in which some chains, a mask (chains,), have just started.

    All chains begin a new block, since they share the number of its samples; a fixed number of
    steps is counted again.
    """
    fresh = init(len(chains), chains.device)
    return BurnIn(
        steps=0,
        filled=0,
        total=fresh.total,
        squares=fresh.squares,
        mean=torch.where(chains, fresh.mean, progress.mean),
        variance=torch.where(chains, fresh.variance, progress.variance),
        steady=progress.steady & ~chains,
        done=progress.done & ~chains,
    )


def update(
    progress: BurnIn,
    activation: Tensor | None,
    threshold: Tensor | float,
    fixed: int | None = None,
) -> BurnIn:
    """Count one step, and one sample of the activation (chains,) if this step has one.

    Parameters
    ----------
    threshold
        Threshold of each chain, (chains,), or one number, in units of the activation.
    fixed
        Number of steps after which every chain counts as burned in, instead of the test. Steadiness
        is tested in any case.
    """
    steps = progress.steps + 1
    if activation is not None:
        progress = _add(progress, steps, activation, threshold, may_finish=fixed is None)
    else:
        progress = replace(progress, steps=steps)
    if fixed is not None and steps > fixed and not progress.over:
        progress = replace(progress, done=torch.ones_like(progress.done), over=True)
    return progress


def _add(
    progress: BurnIn, steps: int, activation: Tensor, threshold: Tensor | float, *, may_finish: bool
) -> BurnIn:
    total = progress.total + activation
    squares = torch.addcmul(progress.squares, activation, activation)
    filled = progress.filled + 1
    if filled < BLOCK:
        return replace(progress, steps=steps, filled=filled, total=total, squares=squares)
    mean = total / BLOCK
    variance = (squares - total * mean).clamp_min(0.0) / (BLOCK - 1)
    error = ((variance + progress.variance) / BLOCK).sqrt()
    # With <=, a chain that does not move (T = 0 at its optimum) counts as steady. The comparison is
    # False if there is no previous block (NaN).
    steady = (mean - progress.mean).abs() <= STANDARD_ERRORS * error
    done = progress.done
    if may_finish:
        done = done | (steady & (mean >= threshold))
    zeros = torch.zeros_like(total)
    # Once steady, a chain stays steady until a setting changes, so that its label does not flicker.
    steady = progress.steady | steady
    return BurnIn(steps, 0, zeros, zeros, mean, variance, steady, done, progress.over)
