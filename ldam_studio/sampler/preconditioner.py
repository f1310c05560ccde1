r"""Steps that change broad features more than fine ones, and brightness more than hues.

A Langevin step may be preconditioned with any fixed positive definite matrix P, if the noise is
preconditioned as well (Roberts and Stramer 2002, section 4; Girolami and Calderhead 2011, section
5):

    x' = x + (eps/2) P grad U(x) + sqrt(eps T) P^(1/2) xi,        xi ~ N(0, 1)

This step has the same stationary distribution exp(U / T) as eps -> 0. Here P = R^2. In spatial
frequency f, R is diagonal with gain f^-p; p = 1 gives the amplitudes of natural images (Field
1987). Below a floor, in cycles per image, the gain stays as it is at the floor, so that shapes keep
up with the broadest shades of the image. R also mixes the channels by the square root of a
correlation matrix with the same correlation c between any two channels. R is scaled so that the
mean square of its gain over all frequencies and channels is 1, which leaves the strength of white
noise unchanged.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def precondition(
    drift: Tensor, noise: Tensor, exponent: float, correlation: float, floor: float = 0.0
) -> Tensor:
    """Return R (R drift + noise).

    Parameters
    ----------
    drift
        (eps/2) grad U, (chains, C, H, W).
    noise
        sqrt(eps T) xi, shaped like `drift`.
    exponent
        p, at least 0.
    correlation
        c between channels, in [0, 1).
    floor
        In cycles across the longer side of the image; below 1 it has no effect.
    """
    height, width = drift.shape[2:]
    if correlation and drift.shape[1] > 1:
        drift = _mixed(_mixed(drift, correlation), correlation)
        noise = _mixed(noise, correlation)
    if not exponent:
        return drift + noise
    gain = gain_of(height, width, exponent, floor, drift.device)
    waves = torch.fft.rfft2(drift).mul_(gain).add_(torch.fft.rfft2(noise)).mul_(gain)
    moved: Tensor = torch.fft.irfft2(waves, s=(height, width))
    return moved


def clouds(noise: Tensor, exponent: float, correlation: float) -> Tensor:
    """Return R noise for ``noise`` (n, C, H, W), with the same strength on average.

    At exponent 0 the noise is returned unchanged.
    """
    if not exponent or not len(noise):  # some FFT libraries reject an empty batch
        return noise
    return precondition(torch.zeros_like(noise), noise, exponent, correlation)


def strength(x: Tensor, exponent: float, correlation: float, floor: float = 0.0) -> Tensor:
    """Return the norm of R x of each chain, (chains,), for ``x`` (chains, C, H, W).

    R grad U is the gradient with respect to R^-1 x, the coordinates in which the noise is white.
    Its norm is computed from the Fourier coefficients (Parseval), since transforming back to pixels
    would take most of the time.
    """
    if correlation and x.shape[1] > 1:
        x = _mixed(x, correlation)
    if not exponent:
        norm: Tensor = torch.linalg.vector_norm(x, dim=(1, 2, 3))
        return norm
    height, width = x.shape[2:]
    waves = torch.view_as_real(torch.fft.rfft2(x, norm="ortho"))
    gain = gain_of(height, width, exponent, floor, x.device)
    power = waves.square().sum((1, 4)) * gain.square()
    # The half spectrum represents the whole: every column that has a mirror image counts twice.
    power[:, :, 1 : (width + 1) // 2] *= 2
    return power.sum((1, 2)).sqrt()


def unrooted(x: Tensor, exponent: float, correlation: float, floor: float = 0.0) -> Tensor:
    """Return R^-1 x for ``x`` (chains, C, H, W)."""
    if correlation and x.shape[1] > 1:
        x = _mixed(x, correlation, inverse=True)
    if not exponent:
        return x
    height, width = x.shape[2:]
    waves = torch.fft.rfft2(x) / gain_of(height, width, exponent, floor, x.device)
    back: Tensor = torch.fft.irfft2(waves, s=(height, width))
    return back


def _mixed(x: Tensor, correlation: float, *, inverse: bool = False) -> Tensor:
    """Apply the square root of the correlation matrix, or its inverse, to the channels."""
    channels = x.shape[1]
    common, own = roots_of_eigenvalues(channels, correlation, -0.5 if inverse else 0.5)
    root = torch.full((channels, channels), (common - own) / channels, device=x.device)
    root.diagonal().add_(own)
    mixed: Tensor = torch.einsum("oc,nchw->nohw", root, x)
    return mixed


def roots_of_eigenvalues(
    channels: int, correlation: float, power: float = 0.5
) -> tuple[float, float]:
    """Return the square roots of the eigenvalues of the correlation matrix.

    They are 1 + (C - 1) c for the mean of the channels, and 1 - c for deviations from the mean.
    """
    return (1 + (channels - 1) * correlation) ** power, (1 - correlation) ** power


@lru_cache(maxsize=8)
def gain_of(height: int, width: int, exponent: float, floor: float, device: torch.device) -> Tensor:
    """Return f^-p for the half spectrum of `torch.fft.rfft2`, (H, W // 2 + 1).

    Frequencies below the floor, and f = 0 in any case, are treated as the floor; it is at least one
    period across the longer side.
    """
    # Computed on the host, since some devices do not support double precision.
    down = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    across = torch.fft.fftfreq(width, dtype=torch.float64)[None]
    frequency = (
        (down.square() + across.square()).sqrt().clamp_min(max(1, floor) / max(height, width))
    )
    gain: Tensor = frequency**-exponent
    gain = gain / gain.square().mean().sqrt()
    return gain[:, : width // 2 + 1].float().to(device)
