"""The discriminators of CIFAR-10, which give the probability that an image of 32x32 is real.

These are the convolutional classifiers of Algorithm 2 in Jiang et al., arXiv 1812.04604. The small
one is shipped. The one with VGG-16's layers follows the paper, in which the discriminator is "as
similar as possible" to the network under study; it is slower.
"""

from __future__ import annotations

import torch
from torch import nn

from ldam_studio.networks.models.dropout import SeededDropout

SIDE = 32

VGG16 = ((16, 16), (32, 32), (64, 64, 64), (128, 128, 128), (128, 128, 128))
"""VGG-16's blocks of convolutions (Simonyan and Zisserman 2015), with a quarter of its channels."""


class _Centred(nn.Module):
    """Feeds pixels with mean 0 and about unit variance to a body; returns logits ``(n,)``.

    With such pixels, the border of zeros around a convolution's input is grey, not black.
    """

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the logit of each image, shape ``(n,)``."""
        logits: torch.Tensor = self.body((pixels - 0.5) * 4)
        return logits.squeeze(1)


class ColourDiscriminator(_Centred):
    """Convolutional discriminator for 32x32 RGB images in pixel units.

    ``conv 48 - conv 96 - conv 192 - dense 128 - dense 1`` with leaky rectified units. Average
    pooling over overlapping windows halves the size after each convolution; dropout precedes each
    dense layer. Only the pooling has a stride: a gradient through strided convolutions would have a
    chequerboard pattern (Odena et al., Distill 2016, doi 10.23915/distill.00003), which chains
    would follow.

    Takes ``(n, 3, 32, 32)`` with 0 = black and 1 = white, returns one logit for each image,
    ``(n,)``: the sampler's ``log D(x)`` is its ``logsigmoid``.
    """

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        channels, side = 3, SIDE
        for width in (48, 96, 192):
            layers += [
                _convolution(channels, width),
                nn.LeakyReLU(0.2),
                nn.AvgPool2d(4, stride=2, padding=1, count_include_pad=False),
            ]
            channels, side = width, side // 2
        super().__init__(nn.Sequential(*layers, nn.Flatten(), *_dense(channels * side**2)))


class Vgg16Discriminator(_Centred):
    """A discriminator with VGG-16's thirteen convolutions, narrower, for 32x32 RGB images.

    Takes and returns what `ColourDiscriminator` does.
    """

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        channels = 3
        for widths in VGG16:
            for width in widths:
                layers += [_convolution(channels, width), nn.LeakyReLU(0.2)]
                channels = width
            layers.append(nn.AvgPool2d(2))
        super().__init__(nn.Sequential(*layers, nn.Flatten(), *_dense(channels)))


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="replicate")
    # There are no batch norms, since they would make chains depend on each other. Without them, the
    # scale of the initial weights must preserve the signal through all layers.
    nn.init.kaiming_normal_(convolution.weight, 0.2, nonlinearity="leaky_relu")
    return convolution


def _dense(features: int) -> tuple[nn.Module, ...]:
    return (
        SeededDropout(0.5),
        nn.Linear(features, 128),
        nn.LeakyReLU(0.2),
        SeededDropout(0.5),
        nn.Linear(128, 1),
    )
