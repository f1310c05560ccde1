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
    the start. `behind` (int64) is the number of those that a chain did not take, because it started
    again or was held, and `most_behind` is at least the largest of them. `over` means that a fixed
    number of steps has passed for every chain, so that all are `done`; the host knows this without
    waiting for the device.
    """

    steps: int
    filled: int
    total: Tensor
    squares: Tensor
    mean: Tensor
    variance: Tensor
    steady: Tensor
    done: Tensor
    behind: Tensor
    most_behind: int = 0
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
    return BurnIn(0, 0, zeros, zeros, nans, nans, no, no, torch.zeros_like(no, dtype=torch.int64))


def disturb(progress: BurnIn) -> BurnIn:
    """Mark every chain as unsteady because a setting has changed, and start a new block."""
    fresh = init(len(progress.done), progress.done.device)
    return replace(
        fresh,
        steps=progress.steps,
        done=progress.done,
        behind=progress.behind,
        most_behind=progress.most_behind,
        over=progress.over,
    )


def disturb_some(progress: BurnIn, chains: Tensor) -> BurnIn:
    """Mark some chains, a mask (chains,), as unsteady; the block of the others goes on.

    The block in progress does not count for them: a NaN in it spreads to its mean, and a chain is
    never steady by a comparison with NaN.
    """
    unknown = {
        name: getattr(progress, name).masked_fill(chains, torch.nan)
        for name in ("total", "squares", "mean", "variance")
    }
    return replace(progress, steady=progress.steady & ~chains, **unknown)


def begin_again(progress: BurnIn, chains: Tensor) -> BurnIn:
    """Let the burn-in of some chains, a mask (chains,), begin again; their steps count anew."""
    return replace(
        disturb_some(progress, chains),
        done=progress.done & ~chains,
        behind=progress.behind.masked_fill(chains, progress.steps),
        most_behind=progress.steps,
        over=False,
    )


def stay(progress: BurnIn, before: BurnIn, held: Tensor) -> BurnIn:
    """Return the progress after a step that the chains `held`, a mask (chains,), did not take."""
    return replace(
        progress,
        steady=torch.where(held, before.steady, progress.steady),
        done=torch.where(held, before.done, progress.done),
        behind=progress.behind + held,
        most_behind=progress.most_behind + 1,
        over=False,
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
        done = progress.done | (steps - progress.behind > fixed)
        progress = replace(progress, done=done, over=steps - progress.most_behind > fixed)
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
    return replace(
        progress,
        steps=steps,
        filled=0,
        total=zeros,
        squares=zeros,
        mean=mean,
        variance=variance,
        # Once steady, a chain stays steady until a setting changes, so that its label does not
        # flicker.
        steady=progress.steady | steady,
        done=done,
    )
