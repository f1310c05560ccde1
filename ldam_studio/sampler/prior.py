"""The learned prior: how probable an image is among photographs, given by a denoiser.

A denoiser D that returns the mean of the clean images, given an image with normal noise of standard
deviation s, contains the score of the image density smoothed by that noise, p_s (Miyasawa 1961;
Vincent 2011, doi 10.1162/NECO_a_00142):

    grad log p_s(x) = (D(x, s) - x) / s^2

An image that is told to have noise and has none is unlike all on which D was trained, and flat dark
images have the highest density of all. Therefore the prior is not log p_s(x) itself but its mean
over noise, E log p_s(x + s n) with n ~ N(0, 1). This is the negative Kullback-Leibler divergence
from p_s of images with this mean and this noise, up to a constant. Its gradient is the mean of
(D(x + s n, s) - x) / s^2, so that one random n in each step gives a stochastic gradient of it, as
one random view does (Mardani et al., arXiv 2305.04391, use it for restoration).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from ldam_studio.sampler.resize import resized

Denoise = Callable[[Tensor, Tensor], Tensor]
"""Maps noisy images (n, 3, H, W) and their noise levels (n,) to the mean of the clean images."""

WHOLE = 128
"""Images whose shorter side has at most this many pixels are denoised at their own size."""

DETAIL = 0.05
"""Root mean square of x - B A x (see `Prior`) in photographs of 224 pixels, in pixel units."""


@dataclass(frozen=True)
class Prior:
    """The denoiser in a step.

    It works on the image at half its size, A x, where it takes a quarter of the time (images of at
    most `WHOLE` pixels keep their size). Its result is brought back to the full size by B. What is
    lost on the way, the finest details x - B A x, is
    shrunk by the factor q = d^2 / (d^2 + s^2), the best one for normal details of standard
    deviation d = `DETAIL`. The denoised image is therefore

        B D(A x + s n) + q (x - B A x).

    A halves the sides with an antialiasing filter, B doubles them bilinearly.

    Attributes
    ----------
    denoise
        The denoiser D.
    level
        The noise level s of each chain in pixel units, (chains, 1, 1, 1).
    noise
        The noise n, (chains, 3, H, W) with the sides of A x, see `reduced`.
    strength
        The factor of the gradient for each chain, (chains, 1, 1, 1).
    """

    denoise: Denoise
    level: Tensor
    noise: Tensor
    strength: Tensor

    def gradient(self, x: Tensor) -> Tensor:
        """Return strength times (the denoised image - x), for images x (chains, 3, H, W)."""
        height, width = x.shape[2:]
        small = resized(x, reduced(height, width))
        kept = DETAIL**2 / (DETAIL**2 + self.level.square())
        denoised = self.denoise(small + self.level * self.noise, self.level.flatten())
        moved = resized(denoised - kept * small, (height, width)) + (kept - 1) * x
        return moved.mul_(self.strength)


def reduced(height: int, width: int) -> tuple[int, int]:
    """Return the size at which the denoiser sees an image of this size, in pixels."""
    if min(height, width) <= WHOLE:
        return height, width
    return (height + 1) // 2, (width + 1) // 2


def strength(every: int, level: Tensor, rate: Tensor) -> Tensor:
    """Return `Prior.strength` in a step that stands for `every` steps; all (chains, 1, 1, 1).

    It is every / s, but at most so large that the step with the factor `rate`, (eps/2) w, goes to
    the denoised image and not beyond, since a chain would otherwise diverge.
    """
    return (every / level).minimum(1 / rate)
