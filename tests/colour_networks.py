"""Networks for photographs as small as tests need: factories for ``--network FILE.py:FUNCTION``.

Their weights are random, and the same in every run.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from ldam_studio.networks.pixels import PixelSpec

PIXELS = PixelSpec(3, 32, 32, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), rest=0.5)


def _declared(module: nn.Module, pixels: PixelSpec = PIXELS) -> nn.Module:
    module.pixels = pixels
    return module


def plain() -> nn.Module:
    """As AlexNet and SqueezeNet begin: strided, without padding, without batch norm."""
    return _declared(
        nn.Sequential(
            nn.Conv2d(3, 12, 5, stride=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(12, 8, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(32, 20),
        )
    )


def normed() -> nn.Module:
    """As ResNet begins: padded, without bias, a batch norm behind it, pooled; one dead filter."""
    first = nn.Conv2d(3, 8, 7, stride=2, padding=3, bias=False)
    with torch.no_grad():
        first.weight[3] = 0
        first.weight[5] *= 1e-6
    return _declared(
        nn.Sequential(
            first,
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 20),
        )
    )


def large() -> nn.Module:
    """For images as large as the discriminator of photographs wants them."""
    module = nn.Sequential(
        nn.Conv2d(3, 8, 8, stride=8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 28 * 28, 20)
    )
    return _declared(module, replace(PIXELS, height=224, width=224))


def middle() -> nn.Module:
    """For images of a size for which no discriminator is shipped."""
    module = nn.Sequential(nn.Conv2d(3, 8, 8, stride=8), nn.Flatten(), nn.Linear(8 * 6 * 6, 20))
    return _declared(module, replace(PIXELS, height=48, width=48))


class _OneSize(nn.Module):
    """Patches as a transformer makes them, which takes images of one size only."""

    def __init__(self, channels: int = 6) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, channels, 8, stride=8)
        self.mixed = nn.Conv2d(channels, 6, 1)
        self.head = nn.Linear(6, 20)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if images.shape[-1] != PIXELS.width:
            raise ValueError("another size")
        return self.head(self.mixed(self.patches(images)).flatten(2).mean(2))


def one_size() -> nn.Module:
    return _declared(_OneSize())


def one_size_deep() -> nn.Module:
    return _declared(_OneSize(3))


def dense() -> nn.Module:
    """Fully connected, for 2 channels of another range."""
    pixels = PixelSpec(2, 6, 9, (0.1, 0.2), (0.3, 0.6), rest=0.25, minimum=-1.0)
    return _declared(nn.Sequential(nn.Flatten(), nn.Linear(108, 5)), pixels)


def no_filters() -> nn.Module:
    return _declared(nn.Sequential(nn.Sigmoid(), nn.Conv2d(3, 4, 3), nn.Flatten()))


def half_seen() -> nn.Module:
    """A filter larger than the image, of which padding hides the rest."""
    return _declared(nn.Sequential(nn.Conv2d(3, 4, 41, padding=8), nn.Flatten()))


def ten_classes() -> nn.Module:
    return _declared(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(3600, 10)))
