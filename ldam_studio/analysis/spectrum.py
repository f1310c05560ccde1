"""The share of an image's power in low spatial frequencies."""

from __future__ import annotations

import torch
from torch import Tensor

RADIUS = 0.125
"""Upper limit of low frequencies, in cycles per pixel: their wavelength is 8 pixels or more. White
noise has 5 % of its power there, photographs nearly all."""


def low_share(images: Tensor, rest: float, radius: float = RADIUS) -> Tensor:
    """Return the share of the power in frequencies below `radius`, including the mean colour.

    Parameters
    ----------
    images
        (n, C, H, W) in pixel units. The power is that of their difference from `rest`, summed over
        channels, in the discrete Fourier transform without a window.
    radius
        Length of the frequency vector in cycles per pixel; 0.5 is the finest stripe.

    Returns
    -------
    Tensor
        (n,), from 0 to 1; 0 for an image of the rest colour.
    """
    height, width = images.shape[-2:]
    power = torch.fft.fft2((images - rest).double()).abs().square().sum(1)
    rows = torch.fft.fftfreq(height, dtype=power.dtype, device=power.device)
    columns = torch.fft.fftfreq(width, dtype=power.dtype, device=power.device)
    low = rows[:, None].square() + columns.square() < radius**2
    total = power.sum((-2, -1))
    share: Tensor = (power * low).sum((-2, -1)) / total.where(total > 0, torch.ones_like(total))
    return share
