"""The discriminator of MNIST, which says how probably an image is a real digit.

The convolutional classifier of Algorithm 2 in Jiang et al., arXiv 1812.04604, small enough that a
sampling step with it costs little more than one without.
"""

from __future__ import annotations

import torch
from torch import nn


class SeededDropout(nn.Module):
    """Dropout whose mask comes from a generator of its own.

    ``torch.nn.Dropout`` draws from torch's global generator and takes no other, so that with it one
    random source would move another. While evaluating this is the identity and draws nothing.

    Attributes
    ----------
    generator
        The source of the masks, set by whoever trains the module. It is no part of the weights and
        lives on the device of the images. Training without one is an error, not a silent draw from
        the global generator.
    """

    def __init__(self, rate: float = 0.5) -> None:
        super().__init__()
        self.rate = rate
        self.generator: torch.Generator | None = None

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Zero each value with probability ``rate`` and scale the others; any shape."""
        if not self.training or self.rate == 0:
            return values
        if self.generator is None:
            raise RuntimeError("SeededDropout in training mode needs a generator")
        kept = torch.rand(
            values.shape, generator=self.generator, device=values.device, dtype=values.dtype
        )
        return values * (kept >= self.rate) / (1 - self.rate)

    def extra_repr(self) -> str:
        """Show the rate in the module's printout."""
        return f"rate={self.rate}"


class Discriminator(nn.Module):
    """Convolutional discriminator for 28x28 grey images in pixel units.

    ``conv 16 - conv 32 - dense 128 - dense 1``, leaky rectified units, dropout before each dense
    layer.

    Takes ``(n, 1, 28, 28)`` with 0 = black and 1 = white, returns one logit for each image,
    ``(n,)``: ``log D(x)`` of the sampler is ``logsigmoid`` of it.
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


def use_generator(module: nn.Module, generator: torch.Generator | None) -> None:
    """Let every `SeededDropout` within ``module`` draw from ``generator``."""
    for part in module.modules():
        if isinstance(part, SeededDropout):
            part.generator = generator
