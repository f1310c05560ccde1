"""The discriminator of MNIST, which gives the probability that an image is a real digit.

It is the convolutional classifier of Algorithm 2 in Jiang et al., arXiv 1812.04604, and small
enough that it slows a sampling step down only a little.
"""

from __future__ import annotations

import torch
from torch import nn

from ldam_studio.networks.models.dropout import SeededDropout


class DigitDiscriminator(nn.Module):
    """Convolutional discriminator for 28x28 grey images in pixel units.

    ``conv 16 - conv 32 - dense 128 - dense 1``, leaky rectified units, dropout before each dense
    layer.

    Takes ``(n, 1, 28, 28)`` with 0 = black and 1 = white, returns one logit for each image,
    ``(n,)``: the sampler's ``log D(x)`` is its ``logsigmoid``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(16, 32, 5, stride=2, padding=2),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            SeededDropout(0.5),
            nn.Linear(32 * 7 * 7, 128),
            nn.LeakyReLU(0.2),
            SeededDropout(0.5),
            nn.Linear(128, 1),
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the logit of each image, shape ``(n,)``."""
        logits: torch.Tensor = self.body(pixels)
        return logits.squeeze(1)
