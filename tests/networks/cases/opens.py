"""What the networks in this folder share: each is a function that the test opens by its name."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import nn

Factory = Callable[[], nn.Module]


def pixels(channels: int, side: int, mean: float = 0.5, std: float = 0.25) -> dict[str, Any]:
    return {
        **{"channels": channels, "height": side, "width": side},
        **{"mean": [mean] * channels, "std": [std] * channels, "rest": 0.5},
    }


GREY = pixels(1, 28, 0.1307, 0.3081)
RGB = pixels(3, 32)
SMALL = pixels(3, 16)


def opens(takes: dict[str, Any], neurons: dict[str, int]) -> Callable[[Factory], Factory]:
    """Let a function return a network with fixed random weights that takes such pixels.

    `neurons` is how many neurons some of its layers have.
    """

    def opens(build: Factory) -> Factory:
        @wraps(build)
        def factory() -> nn.Module:
            torch.manual_seed(7)
            module = build()
            enliven(module)
            module.pixels = takes
            return module

        factory.pixels, factory.neurons = takes, neurons
        return factory

    return opens


@torch.no_grad()
def enliven(module: nn.Module) -> None:
    """Draw what is 0 or 1 before a training, so that no layer gives the same for every image."""
    for name, value in (*module.named_parameters(), *module.named_buffers()):
        last = name.rpartition(".")[2]
        if last == "running_var":
            value.uniform_(0.5, 2.0)
        elif last in ("running_mean", "bias", "gamma", "beta") and value.is_floating_point():
            value.add_(0.3 * torch.randn(value.shape).to(value))


class Body(nn.Module):
    """What many of them are built around."""

    def __init__(self):
        super().__init__()
        self.conv1, self.relu = nn.Conv2d(3, 6, 3, 2), nn.ReLU(inplace=True)
        self.conv2, self.fc = nn.Conv2d(6, 8, 3), nn.Linear(8, 5)

    def forward(self, x):
        return self.fc(self.relu(self.conv2(self.relu(self.conv1(x)))).mean((2, 3)))


BODY = {"conv1": 6, "conv2": 8, "fc": 5}


def inside(name):
    return {f"{name}.{key}": value for key, value in BODY.items()}
