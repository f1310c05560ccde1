"""Images at another size, interpolated bilinearly."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Return images x (n, C, H, W) at `size` (height, width); the same tensor if they have it.

    A smaller image is filtered first (antialiasing). Each new pixel is a weighted mean of old ones,
    so that bounds of pixels are kept. The result is differentiable and contiguous.
    """
    if tuple(x.shape[2:]) == size:
        return x
    if x.device.type == "cpu":
        shown: Tensor = torch.nn.functional.interpolate(
            x, size, mode="bilinear", align_corners=False, antialias=True
        )
        return shown.contiguous()
    # On CUDA the gradient of `interpolate` is summed in no fixed order, so that replay would not be
    # exact; a product of matrices has a fixed order.
    height, width = (
        _weights(old, new, x.device) for old, new in zip(x.shape[2:], size, strict=True)
    )
    return height @ x @ width.T


@lru_cache(maxsize=32)
def _weights(old: int, new: int, device: torch.device) -> Tensor:
    """Return the matrix (new, old) that interpolates a row of `old` pixels."""
    every = torch.eye(old)[None, None]
    rows: Tensor = torch.nn.functional.interpolate(
        every, (new, old), mode="bilinear", align_corners=False, antialias=True
    )
    return rows[0, 0].to(device)
