"""The preconditioned step in Fourier space, with as few passes over the images as possible.

`sampler.preconditioner` has the mathematics; this file is *arithmetic 2* of it (see `Parameters`).
The step is the same but for rounding, with one difference: the N(0, 1) numbers of a step are not
the pixels of the noise but its coefficients in an orthonormal basis of cosines and sines. White
noise has the same distribution in every orthonormal basis, so no Fourier transform of it is needed.

The half spectrum of `torch.fft.rfft2` has a column for each frequency along a row of the image. The
first one and, where rows have an even length, the last one describe real numbers. They belong to
the last one or two columns of the drawn numbers, the others to pairs of the columns before these.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

from ldam_studio.sampler.preconditioner import gain_of, roots_of_eigenvalues

CACHED = 2**18
"""Numbers that are processed at a time on the CPU, so that they stay in its cache."""


def waves_of(x: Tensor) -> Tensor:
    """Return the half spectrum of x (chains, C, H, W), complex, (chains, C, H, W // 2 + 1)."""
    waves: Tensor = torch.fft.rfft2(x)
    return waves


def strength(
    waves: Tensor, width: int, exponent: float, correlation: float, floor: float = 0.0
) -> Tensor:
    """Return the norm of R x of each chain, (chains,), as `preconditioner.strength` does.

    `waves` is the half spectrum of x, `width` the width of its images.
    """
    height = waves.shape[2]
    weight = _share_of_power(height, width, exponent, floor, waves.device)
    if waves.shape[1] == 1:
        correlation = 0.0
    square = torch.empty(len(waves), device=waves.device)
    for few in _portions(waves):
        weighed = waves[few] * weight
        square[few] = (1 - correlation) * _norm(weighed).square()
        if correlation:
            square[few] += correlation * _norm(weighed.sum(1)).square()
    return square.sqrt_()


def step_in_waves(
    drift: Tensor | None,
    noise: Tensor | None,
    size: tuple[int, int],
    exponent: float,
    correlation: float,
    floor: float = 0.0,
) -> Tensor:
    """Return R (R drift + noise), (chains, C, H, W), for images of `size` = (H, W).

    Parameters
    ----------
    drift
        Its half spectrum, which is overwritten; None for 0.
    noise
        Normal numbers, (chains, C, H, W), which stand for the coefficients of the noise; None for
        no noise.
    """
    given = noise if drift is None else drift
    assert given is not None
    height, width = size
    waves = drift
    if waves is None:
        shape = (*given.shape[:3], width // 2 + 1)
        waves = torch.zeros(shape, dtype=torch.complex64, device=given.device)
    gain = gain_of(height, width, exponent, floor, given.device)
    common = 0.0
    if correlation and waves.shape[1] > 1:
        # R mixes the channels by own * 1 + (shared - own) / C * (sum of the channels).
        shared, own = roots_of_eigenvalues(waves.shape[1], correlation)
        common = (shared - own) / own / waves.shape[1]
        gain = gain * own
    moved = torch.empty((*waves.shape[:3], width), device=given.device)
    for few in _portions(waves):
        part = waves[few]
        if drift is not None:
            _root(part, gain, common)
        if noise is not None:
            _add_noise(part, noise[few])
        moved[few] = torch.fft.irfft2(_root(part, gain, common), s=size)
    return moved


def _root(waves: Tensor, gain: Tensor, common: float) -> Tensor:
    """Apply R in place."""
    if common:
        waves.add_(waves.sum(1, keepdim=True), alpha=common)
    return waves.mul_(gain)


def _add_noise(waves: Tensor, noise: Tensor) -> None:
    """Add white noise with the coefficients `noise` (n, C, H, W), in place."""
    height, width = noise.shape[2:]
    real = 1 if width % 2 else 2  # columns that describe real numbers
    pairs = (width - real) // 2
    middle = torch.view_as_real(waves)[..., 1 : 1 + pairs, :]
    middle.add_(
        noise[..., : 2 * pairs].unflatten(-1, (pairs, 2)), alpha=(height * width / 2) ** 0.5
    )
    ends = torch.fft.fft(noise[..., 2 * pairs :], dim=2)
    for number, column in enumerate((0, -1)[:real]):
        waves[..., column].add_(ends[..., number], alpha=width**0.5)


def _norm(waves: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(torch.view_as_real(waves).flatten(1), dim=1)
    return norm


@lru_cache(maxsize=8)
def _share_of_power(
    height: int, width: int, exponent: float, floor: float, device: torch.device
) -> Tensor:
    """Return the factor of each wave in the norm of R x (Parseval), (H, W // 2 + 1).

    The half spectrum represents the whole: every column that has a mirror image counts twice.
    """
    counted = torch.ones(width // 2 + 1, device=device)
    counted[1 : (width + 1) // 2] = 2
    gain = gain_of(height, width, exponent, floor, device)
    share: Tensor = gain * (counted / (height * width)).sqrt()
    return share


def _portions(waves: Tensor) -> Iterator[slice]:
    """Divide the chains into portions: few chains each on the CPU, all in one elsewhere."""
    some = max(1, CACHED // waves[:1].numel() if waves.is_cpu else len(waves))
    for first in range(0, len(waves), some):
        yield slice(first, first + some)
