"""The judges: independent classifiers that say what an image shows.

A judge's answer is meaningful only if the judge and the network under study share nothing but the
data: architecture, seed and order of the images differ. A LeNet from the same training run
"recognises" even pure noise on which the other LeNet was maximised.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ldam_studio.networks.models import lenet, vgg

CLASSES = 10


class Judge(nn.Module):
    """A classifier of ten classes.

    Takes normalised images ``(n, C, H, W)`` as the network under study does, and returns logits
    ``(n, 10)``.

    Attributes
    ----------
    body, head
        Map images to features of any shape, and flattened features to logits.
    mean, std
        Mean and standard deviation of the pixels, by channel; the input is ``(x - mean) / std``.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __init__(self, body: nn.Module, features: int) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(features, CLASSES)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return the last layer's input for normalised images, ``(n, features)``."""
        features: torch.Tensor = self.body(images)
        return features.flatten(1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, 10)``."""
        logits: torch.Tensor = self.head(self.features(images))
        return logits

    def normalise(self, pixels: torch.Tensor) -> torch.Tensor:
        """Turn pixels (n, C, H, W), 0 = black and 1 = white, into the judge's input."""
        mean, std = (torch.tensor(v).reshape(1, -1, 1, 1) for v in (self.mean, self.std))
        return (pixels - mean) / std


class DigitJudge(Judge):
    """All-convolutional classifier of 28x28 grey images, batch normalised, without pooling."""

    mean = (lenet.MEAN,)
    std = (lenet.STD,)

    def __init__(self) -> None:
        body = nn.Sequential(
            *_block(1, 16, 1),
            *_block(16, 32, 2),
            *_block(32, 32, 1),
            *_block(32, 64, 2),
            *_block(64, 64, 1),
        )
        super().__init__(body, 64 * 7 * 7)


class ColourJudge(Judge):
    """A small residual network for 32x32 RGB images (He et al. 2016), 192 features."""

    mean = vgg.MEAN
    std = vgg.STD

    def __init__(self) -> None:
        body = nn.Sequential(
            *_normed(3, 24, 3, 1),
            nn.ReLU(),
            _Residual(24, 48, 2),
            _Residual(48, 96, 2),
            _Residual(96, 192, 2),
            nn.AdaptiveAvgPool2d(1),
        )
        super().__init__(body, 192)
        self.to(memory_format=torch.channels_last)


class _Residual(nn.Module):
    """Two convolutions with a residual connection."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_normed(inputs, outputs, 3, stride), nn.ReLU(), *_normed(outputs, outputs, 3, 1)
        )
        same = inputs == outputs and stride == 1
        self.short = nn.Sequential(*(() if same else _normed(inputs, outputs, 1, stride)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.short(images) + self.body(images))


def _normed(inputs: int, outputs: int, size: int, stride: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


def _block(inputs: int, outputs: int, stride: int) -> tuple[nn.Module, ...]:
    return (*_normed(inputs, outputs, 3, stride), nn.ELU())
