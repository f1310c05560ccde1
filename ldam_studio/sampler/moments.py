r"""How far an image is from photographs, by the moments of a network's layers.

Each channel of a layer has a spatial mean and a spatial standard deviation. Their z-scores with
respect to photographs, beyond a tolerance t, make the departure

    H  =  mean over layers of mean over moments of  sqrt(1 + max(|z| - t, 0)^2) - 1

which grows like a square near the tolerance and linearly far from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SMALLEST_VARIANCE = 1e-6


@dataclass(frozen=True)
class Expected:
    """The moments of photographs at some layers.

    Attributes
    ----------
    layers
        Their names.
    mean, std
        Mean and standard deviation of each moment over photographs, (moments,). For each layer in
        turn, they are those of the means of all channels, then of their standard deviations.
    share
        The weight of each moment in H, (moments,); the weights add up to 1.
    overwritten
        Whether later operations may overwrite the layers' outputs, so that they have to be copied.
    """

    layers: tuple[str, ...]
    mean: Tensor
    std: Tensor
    share: Tensor
    overwritten: bool = False

    def moments_of(self, output: Tensor) -> Tensor:
        """Return the `moments_of` a layer's output."""
        return moments_of(output.clone() if self.overwritten else output)

    def departure(self, moments: Sequence[Tensor], tolerance: float) -> Tensor:
        """Return H for each image, (n,), given the `moments_of` each layer."""
        z = (torch.cat(list(moments), dim=1) - self.mean) / self.std
        beyond = (z.abs() - tolerance).clamp_min(0)
        return ((beyond.square() + 1).sqrt() - 1) @ self.share


def moments_of(output: Tensor) -> Tensor:
    """Return the moments of a layer's output: (n, channels, H, W) -> (n, 2 channels), float32.

    The first half are the spatial means, the second the spatial standard deviations (unbiased, with
    `SMALLEST_VARIANCE` added to the variance).
    """
    moments: Tensor = _Moments.apply(output)
    return moments


class _Moments(torch.autograd.Function):
    """`moments_of` with few passes over the output, which is often large and bfloat16."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return the moments, from the sums of the values and of their squares."""
        count = x[0, 0].numel()
        last = not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
        values = x.permute(0, 2, 3, 1).flatten(1, 2) if last else x.flatten(2)
        places = 1 if last else 2
        whole = values.float()
        mean = whole.sum(places) / count
        squares = whole.square() if whole is values else whole.square_()
        spread = squares.sum(places) - count * mean.square()
        # Rounding may make it less than 0. It is not clamped, since rectifiers are being counted.
        variance = spread.abs() / max(1, count - 1) + SMALLEST_VARIANCE
        std = variance.sqrt()
        ctx.save_for_backward(x, mean, std)
        return torch.cat([mean, std], dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the gradient with respect to the output: a + b x with a, b for each channel."""
        x, mean, std = ctx.saved_tensors
        count = x[0, 0].numel()
        of_mean, of_std = gradient.chunk(2, dim=1)
        slope = of_std / (std * max(1, count - 1))
        level = of_mean / count - slope * mean
        slope, level = (part[:, :, None, None].to(x.dtype) for part in (slope, level))
        return torch.addcmul(level, x, slope)
