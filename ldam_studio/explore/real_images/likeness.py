"""Recognising images that are nearly the same: copies, other qualities, frames of one scene."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

SIDE = 8
"""A signature has so many grey levels to a side."""
LENGTH = SIDE * SIDE
ALIKE = 0.12
"""Largest distance of two signatures of nearly the same image, as a share of their contrast."""
FLAT, SAME_GREY = 2.0, 4.0
"""Contrast, in levels of 255, below which an image is of one grey; and how near two such are."""

Signatures = NDArray[np.uint8]


def signatures(images: Tensor) -> Signatures:
    """Return a small grey picture of each image: (n, C, H, W) uint8 -> (n, `LENGTH`) uint8."""
    grey = images.float().mean(1, keepdim=True)
    small = functional.adaptive_avg_pool2d(grey, SIDE).flatten(1)
    return small.round().to(torch.uint8).numpy()


def alike(one: Signatures, others: Signatures) -> NDArray[np.bool_]:
    """Return which of other images, (n, `LENGTH`), are nearly the same as one, (`LENGTH`,).

    Brightness and contrast do not count, unless an image is of one grey.
    """
    first, second = one.astype(np.float32), others.astype(np.float32)
    own, their = first - first.mean(), second - second.mean(1, keepdims=True)
    contrast, contrasts = np.sqrt((own**2).mean()), np.sqrt((their**2).mean(1))
    flat = contrasts < FLAT
    if contrast < FLAT:
        nothing: NDArray[np.bool_] = flat & (np.abs(first.mean() - second.mean(1)) < SAME_GREY)
        return nothing
    scaled = their / np.maximum(contrasts, FLAT)[:, None]
    distance = np.sqrt(((own / contrast - scaled) ** 2).mean(1))
    near: NDArray[np.bool_] = (distance < ALIKE) & ~flat
    return near
