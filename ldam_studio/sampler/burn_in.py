"""When a chain has forgotten its start: threshold passed and activation steady, per chain.

A chain is *steady* when two successive means of `BLOCK` samples of its activation differ by less
than two pooled standard errors. It is *burned in* once it has been steady with a block's mean above
its threshold, or after a fixed number of steps where the person gave one. A moved slider makes it
unsteady (*settling*) again, but not un-burned: annealing must stay smooth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

BLOCK = 50
STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class BurnIn:
    """Progress of every chain; all tensors of shape (chains,).

    `total` and `squares` sum the block under way (`filled` samples); `mean` and `variance` are the
    previous block's, NaN before there is one. `steps` counts since the start. `over` says that a
    fixed number of them is, so that all are `done`: what the host knows without asking the device.
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
        """Chains that were burned in and are not steady at the present settings."""
        return self.done & ~self.steady


def init(chains: int, device: torch.device | str = "cpu") -> BurnIn:
    """Return the progress of chains that have just started."""
    zeros = torch.zeros(chains, device=device)
    nans = torch.full_like(zeros, torch.nan)
    no = torch.zeros(chains, dtype=torch.bool, device=device)
    return BurnIn(0, 0, zeros, zeros, nans, nans, no, no)


def disturb(progress: BurnIn) -> BurnIn:
    """Mark every chain as not steady (a setting moved) and begin its blocks anew."""
    fresh = init(len(progress.done), progress.done.device)
    return replace(fresh, steps=progress.steps, done=progress.done, over=progress.over)


def update(
    progress: BurnIn,
    activation: Tensor | None,
    threshold: Tensor | float,
    fixed: int | None = None,
) -> BurnIn:
    """Count one step, and one sample of the activation (chains,) if this step gave one.

    Parameters
    ----------
    threshold
        (chains,) or one number, in units of the activation.
    fixed
        Burn in after exactly this many steps instead of testing. Steadiness is tested all the same.
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
    # <= so that a chain that stands still (T = 0 at its optimum) counts as steady; comparing with
    # the NaN of "no block yet" is False.
    steady = (mean - progress.mean).abs() <= STANDARD_ERRORS * error
    done = progress.done
    if may_finish:
        done = done | (steady & (mean >= threshold))
    zeros = torch.zeros_like(total)
    # Once steady, a chain stays so until it is disturbed: its label must not flicker.
    steady = progress.steady | steady
    return BurnIn(steps, 0, zeros, zeros, mean, variance, steady, done, progress.over)
