"""Labelled images, and their augmentation for training a classifier."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class LabelledImages:
    """Images with their classes.

    Attributes
    ----------
    images
        ``(n, C, H, W)`` uint8, 0 = black, 255 = white or full colour.
    labels
        ``(n,)`` int64.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def pixels(self, chosen: Tensor | slice = slice(None)) -> Tensor:
        """Return the chosen images in pixel units, ``(n, C, H, W)`` float32 in [0, 1]."""
        return self.images[chosen].float() / 255


def flipped(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each image left to right with probability one half."""
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(mirrored.reshape(-1, 1, 1, 1), images.flip(3), images)


def shifted(images: Tensor, reach: int, generator: torch.Generator) -> Tensor:
    """Shift each image by up to `reach` pixels in each direction, filling the gap by reflection.

    Parameters
    ----------
    images
        ``(n, C, H, W)``, each side longer than `reach`.
    """
    n, _, height, width = images.shape
    padded = functional.pad(images, (reach,) * 4, mode="reflect")
    down, right = torch.randint(0, 2 * reach + 1, (2, n, 1), generator=generator)
    rows = (down + torch.arange(height))[:, None, :, None]
    columns = (right + torch.arange(width))[:, None, None, :]
    number = torch.arange(n).reshape(-1, 1, 1, 1)
    channel = torch.arange(images.shape[1]).reshape(1, -1, 1, 1)
    return padded[number, channel, rows, columns]
