"""Total variation: how much neighbouring pixels differ, and its gradient."""

from __future__ import annotations

import torch
from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.terms.term import Term

ROUNDING = 0.1
"""Differences far below this (in pixel units) count quadratically, so that flat areas are
stable."""

CACHED = 2**17
"""Pixel values that are processed at a time on the CPU, so that they stay in its cache."""


def total_variation(x: Tensor) -> Tensor:
    """Return sum sqrt(dx^2 + dy^2 + r^2) - r over pixels and channels: (n, C, H, W) -> (n,).

    This is the isotropic total variation (Rudin, Osher, Fatemi 1992) of forward differences, which
    are 0 beyond the last row and column. It is made smooth at 0 by r = `ROUNDING`.
    """
    right, down = _differences(x)
    return ((right.square() + down.square() + ROUNDING**2).sqrt() - ROUNDING).flatten(1).sum(1)


def total_variation_gradient(x: Tensor) -> Tensor:
    """Return the gradient of `total_variation` in closed form, shaped like x."""
    gradient = torch.empty_like(x)
    some = max(1, CACHED // max(1, x[:1].numel())) if x.is_cpu else max(1, len(x))
    for part, result in zip(x.split(some), gradient.split(some), strict=True):
        right, down = torch.empty_like(part), torch.empty_like(part)
        torch.sub(part[..., 1:], part[..., :-1], out=right[..., :-1])
        torch.sub(part[..., 1:, :], part[..., :-1, :], out=down[..., :-1, :])
        right[..., -1:] = 0
        down[..., -1:, :] = 0
        torch.mul(right, right, out=result)
        length = result.add_(down * down).add_(ROUNDING**2).sqrt_()
        right.div_(length)
        down.div_(length)
        torch.add(right, down, out=result).neg_()
        result[..., 1:] += right[..., :-1]
        result[..., 1:, :] += down[..., :-1, :]
    return gradient


def _differences(x: Tensor) -> tuple[Tensor, Tensor]:
    right, down = torch.zeros_like(x), torch.zeros_like(x)
    right[..., :-1] = x[..., 1:] - x[..., :-1]
    down[..., :-1, :] = x[..., 1:, :] - x[..., :-1, :]
    return right, down


class Smoothness(Term):
    """-beta TV(x) with the `total_variation` TV of the image; an addition of this program."""

    name = "smoothness"
    setting = "smoothness"

    def factor(self, weight: Tensor) -> Tensor:
        """Return -beta."""
        return -weight

    def value(self, x: Tensor, density: Density) -> Tensor:
        """Return TV(x)."""
        return total_variation(x)

    def gradient(self, x: Tensor, density: Density) -> Tensor:
        """Return the gradient of TV at x."""
        return total_variation_gradient(x)

    def curvature(self, height: int, width: int) -> Tensor:
        """Return the eigenvalues of the periodic Laplacian over r, at most 8 / r.

        The Hessian is largest where the image is flat: it is D^T D / r there, with the forward
        differences D. Without the differences across the border, it is at most that of a periodic
        image, whose largest eigenvalue 4 sin^2 (pi f) + 4 sin^2 (pi g) belongs to a chequerboard.
        """
        down = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
        across = torch.fft.rfftfreq(width, dtype=torch.float64)[None]
        waves: Tensor = (torch.pi * down).sin().square() + (torch.pi * across).sin().square()
        return waves.mul(4 / ROUNDING)
