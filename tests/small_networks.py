"""Small networks with random weights, of every kind that people have, in shapes that are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """How large a network's parts are; `stride` and `padding` are the first convolution's."""

    channels: int = 4
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    dilation: int = 1


class Residual(nn.Module):
    def __init__(self, channels: int, groups: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)  # called twice, and changes what it is given
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.conv2(self.relu(self.norm(self.conv1(x)))) + x)


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.scale = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.scale(self.pool(x)))


class Tokens(nn.Module):
    """Patches, attention, the first token's features."""

    def __init__(self, channels: int, patch: int, images_first: bool = True) -> None:
        super().__init__()
        self.images_first = images_first
        self.patches = nn.Conv2d(3, channels, patch, patch)
        self.block = nn.TransformerEncoderLayer(channels, 2, 2 * channels, batch_first=images_first)
        self.norm = nn.LayerNorm(channels)
        self.head = nn.Linear(channels, 5)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        if self.images_first:
            return self.head(self.norm(self.block(tokens))[:, 0])
        return self.head(self.norm(self.block(tokens.transpose(0, 1)))[0])


class Shared(nn.Module):
    """The same convolution three times, once in a place of its own name."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, channels, 3, padding=1)
        self.shared = nn.Conv2d(channels, channels, 3, padding=1)
        self.again = self.shared
        self.head = nn.Linear(channels, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for part in (self.shared, self.shared, self.again):
            x = functional.relu_(part(x))
        return self.head(x.mean((2, 3)))


class Pair(nn.Module):
    """Gives a tuple: something that is no tensor, then a tensor."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> tuple[int, Tensor]:
        return 3, self.conv(x)


class Tuples(nn.Module):
    """A tuple inside, a dictionary at the end, and a head without a module of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, channels, 3)
        self.pair = Pair(channels)
        self.weight = nn.Parameter(torch.randn(5, channels))

    def forward(self, x: Tensor) -> dict[str, object]:
        _, x = self.pair(functional.elu(self.first(x), inplace=True))
        logits = functional.linear(x.mean((2, 3)), self.weight)
        return {"epoch": 3, "logits": logits.clamp_(-2, 2)}


class Normed(nn.Module):
    """Batch norms whose outputs the rectifiers overwrite."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(c, 6, 3, padding=1) for c in (3, 6, 6))
        self.norms = nn.ModuleList(nn.BatchNorm2d(6) for _ in range(3))
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = norm(conv(x)).relu_()
        return self.head(x.mean((2, 3)))


def _convolutions(shape: Shape, *more: nn.Module) -> nn.Module:
    first = nn.Conv2d(3, shape.channels, shape.kernel, shape.stride, shape.padding)
    return nn.Sequential(
        first,
        nn.ReLU(inplace=True),
        *more,
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * shape.channels, 5),
    )


def _dilated(shape: Shape) -> nn.Module:
    channels, dilation = shape.channels, shape.dilation
    return _convolutions(
        shape, nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation), nn.SiLU(True)
    )


KINDS = {
    "plain": lambda s: _convolutions(s, nn.MaxPool2d(2), nn.Conv2d(s.channels, s.channels, 3)),
    "residual": lambda s: _convolutions(s, Residual(s.channels)),
    "grouped": lambda s: _convolutions(s, Residual(s.channels, groups=s.channels)),
    "dilated": _dilated,
    "strided without padding": lambda s: _convolutions(
        Shape(s.channels, s.kernel, 2, 0), nn.Conv2d(s.channels, s.channels, 3, 2)
    ),
    "squeeze and excitation": lambda s: _convolutions(s, SqueezeExcite(s.channels)),
    "transformer": lambda s: Tokens(2 * s.channels, 4 * s.stride),
    "transformer, tokens first": lambda s: Tokens(2 * s.channels, 4 * s.stride, False),
    "shared module": lambda s: Shared(s.channels),
    "in place": lambda s: _convolutions(
        s, nn.BatchNorm2d(s.channels), nn.Hardswish(True), nn.LeakyReLU(0.1, True)
    ),
    "tuple output": lambda s: Tuples(s.channels),
}
"""Functions that build a network of each kind in a given `Shape`."""


def build(kind: str, shape: Shape) -> nn.Module:
    """Build a network, the same at each call, whose batch norms have seen some images."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = KINDS[kind](shape)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(std=0.2)
                part.running_var.uniform_(0.5, 1.5)
    return module
