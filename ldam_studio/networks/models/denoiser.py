"""The denoiser of photographs: a small U-Net that takes any noise level and any image size.

A denoiser that is trained to minimise the squared error returns the mean of the clean images given
the noisy one. It therefore contains the score of the image density smoothed by the noise (Miyasawa
1961; Vincent 2011, doi 10.1162/NECO_a_00142):

    grad log p_sigma(x) = (D(x, sigma) - x) / sigma^2.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SPREAD = 0.25
"""Standard deviation of the pixels of photographs around grey, in pixel units."""

GREY = 0.5
WIDTHS = (32, 64, 96, 128)
"""Channels at 1/2, 1/4, 1/8 and 1/16 of the image's size."""

MULTIPLE = 2 ** len(WIDTHS)
"""Images are padded so that their sides are multiples of this."""


class Block(nn.Module):
    """Two convolutions of 3x3 whose result is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features after the block, shaped like x."""
        inner = functional.relu(self.first(functional.relu(x)), inplace=True)
        result: Tensor = x + self.second(inner)
        return result


class Denoiser(nn.Module):
    """Denoiser of RGB images in pixel units.

    A U-Net (Ronneberger et al., arXiv 1505.04597) over groups of 2x2 pixels with a block of two
    convolutions at each level on the way down and up, see `WIDTHS`. At the lowest level it sees
    about 250 pixels, hence an image's global structure. The noise level is a channel of the input
    (Zhang et al., FFDNet, arXiv 1710.04026).

    Input, output and skipped part of the network F are scaled as by Karras et al. (arXiv
    2206.00364, table 1), which keeps them near unit variance at every noise level:

        D(x, s) = (1 - q) x + s sqrt(1 - q) F(x, s),   q = s^2 / (s^2 + SPREAD^2)

    with x relative to grey. Convolutions have biases: without them, as Mohan et al. recommend
    (arXiv 1906.05478), it took even areas near grey for texture.
    """

    def __init__(self) -> None:
        super().__init__()
        steps = list(pairwise(WIDTHS))
        self.head = nn.Conv2d(13, WIDTHS[0], 3, padding=1)
        self.down = nn.ModuleList(Block(width) for width in WIDTHS[:-1])
        self.wider = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in steps)
        self.middle = Block(WIDTHS[-1])
        self.narrower = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in steps)
        self.up = nn.ModuleList(Block(width) for width in WIDTHS[:-1])
        self.tail = nn.Conv2d(WIDTHS[0], 12, 3, padding=1)

    def forward(self, pixels: Tensor, noise: Tensor) -> Tensor:
        """Return the mean of the clean images.

        Parameters
        ----------
        pixels
            Noisy images, (n, 3, H, W), 0 = black, 1 = white before the noise was added.
        noise
            Standard deviation of the noise of each image in pixel units, (n,).
        """
        level = noise.view(-1, 1, 1, 1)
        scale = (level.square() + SPREAD**2).rsqrt()
        x = pixels - GREY
        estimate = self.network(x * scale, level * scale)
        return GREY + (SPREAD * scale).square() * x + SPREAD * level * scale * estimate

    def network(self, x: Tensor, level: Tensor) -> Tensor:
        """Return F for scaled images (n, 3, H, W) and their scaled noise levels (n, 1, 1, 1)."""
        height, width = x.shape[2:]
        padded = functional.pad(x, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")
        groups = functional.pixel_unshuffle(padded, 2)
        levels = level.expand(-1, 1, *groups.shape[2:])
        # Convolutions are fastest with channels last.
        joined = torch.cat((groups, levels), 1).contiguous(memory_format=torch.channels_last)
        features, skipped = self.head(joined), []
        for block, wider in zip(self.down, self.wider, strict=True):
            features = block(features)
            skipped.append(features)
            features = wider(functional.avg_pool2d(features, 2))
        features = self.middle(features)
        for block, narrower in reversed(list(zip(self.up, self.narrower, strict=True))):
            larger = functional.interpolate(narrower(features), scale_factor=2.0, mode="nearest")
            features = block(larger + skipped.pop())
        whole = functional.pixel_shuffle(self.tail(features), 2)
        return whole[..., :height, :width]
