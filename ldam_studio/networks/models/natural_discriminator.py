"""The discriminator of natural images, which gives the probability that an image is a photograph.

It is a convolutional classifier as in Algorithm 2 of Jiang et al., arXiv 1812.04604, but not "as
similar as possible" to the network under study. Instead it sees the image at a quarter of its size
and judges it window by window (Isola et al., arXiv 1611.07004, section 3.2). It therefore costs
only a fraction of that network and takes images of any size. It sees shapes and colours, but not
the fine patterns with which chains most easily fool a frozen discriminator.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ldam_studio.networks.models.dropout import SeededDropout

SHRINK = 4
"""Factor by which the image's sides are divided before it is judged."""

LEAST_SIDE, MOST_SIDE = 160, 300
"""Smallest and largest side, in pixels, of images similar to its training images."""

SMALLEST_SIDE, TRAINED_SIDE = 64, 112
"""The smallest side that contains a window, and the smallest with windows that are mostly image."""


class NaturalDiscriminator(nn.Module):
    """Convolutional discriminator for RGB images in pixel units, of 64x64 pixels or more.

    ``quarter size - conv 48 - conv 96 - conv 192 - dense 128 - dense 1`` with leaky rectified
    units. The first two convolutions are followed by average pooling over 2x2; dropout precedes
    each dense layer. The dense layers look at each window of about 130x130 pixels of the image, one
    every 16 pixels; the image's logit is the mean over its windows.

    Only the pooling has a stride, and the image is reduced by an overlapping filter: a gradient
    through strided convolutions would have a chequerboard pattern (Odena et al., Distill 2016, doi
    10.23915/distill.00003).

    Takes ``(n, 3, H, W)`` with 0 = black and 1 = white, returns one logit for each image, ``(n,)``:
    the sampler's ``log D(x)`` is its ``logsigmoid``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 48, 5, padding=2),
            nn.LeakyReLU(0.2),
            nn.AvgPool2d(2),
            nn.Conv2d(48, 96, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.AvgPool2d(2),
            nn.Conv2d(96, 192, 3, padding=1),
            nn.LeakyReLU(0.2),
            SeededDropout(0.5),
            nn.Conv2d(192, 128, 4),
            nn.LeakyReLU(0.2),
            SeededDropout(0.5),
            nn.Conv2d(128, 1, 1),
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the logit of each image, shape ``(n,)``."""
        height, width = (side // SHRINK for side in pixels.shape[2:])
        small = functional.interpolate(
            pixels, (height, width), mode="bilinear", align_corners=False, antialias=True
        )
        # With mean 0 and about unit variance, so that the border of zeros is grey, not black.
        logits: torch.Tensor = self.body((small - 0.5) * 4)
        return logits.mean((1, 2, 3))
