"""The judge: a second opinion on whether an image shows the digit that was asked for.

A judge means something only if it shares nothing with the network that is looked at but the data:
another architecture, another seed, another order of the images. A LeNet of the same run
"recognises" pure noise that its twin was maximised on.
"""

from __future__ import annotations

import torch
from torch import nn


class Judge(nn.Module):
    """All-convolutional classifier of 28x28 grey images, batch normalised, without pooling.

    Takes normalised images ``(n, 1, 28, 28)`` as LeNet does and returns logits ``(n, 10)``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_block(1, 16, 1),
            *_block(16, 32, 2),
            *_block(32, 32, 1),
            *_block(32, 64, 2),
            *_block(64, 64, 1),
        )
        self.head = nn.Linear(64 * 7 * 7, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, 10)``."""
        logits: torch.Tensor = self.head(self.body(images).flatten(1))
        return logits


def _block(inputs: int, outputs: int, stride: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ELU(),
    )
