"""One small network, and opening it with weights that a test saved."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import open_network
from ldam_studio.networks.sources.options import Options

CODE = """
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm

PIXELS = dict(channels=1, height=12, width=12, mean=[0.5], std=[0.5])

class Net(nn.Module):
    def __init__(self, classes=5, wrap=lambda module: module):
        super().__init__()
        self.conv1, self.bn1 = wrap(nn.Conv2d(1, 4, 3)), nn.BatchNorm2d(4)
        self.conv2 = wrap(nn.Conv2d(4, 6, 3))
        self.fc = wrap(nn.Linear(6, classes))
        self.pixels = PIXELS

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return self.fc(x.mean((2, 3)))

def model():
    return Net()
"""


def written(folder: Path, code: str = "", name: str = "net.py") -> Path:
    """Write the network's code, and more code behind it, into a file."""
    path = folder / name
    path.write_text(CODE + code)
    return path


def imported(path: Path, patch: pytest.MonkeyPatch) -> Any:
    """Import the code in a file, as a training script would."""
    spec = importlib.util.spec_from_file_location("a_persons_net", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    patch.setitem(sys.modules, "a_persons_net", module)  # for pickle, which saves names
    spec.loader.exec_module(module)
    return module


def trained(module: nn.Module, seed: int = 1) -> nn.Module:
    """Give a module weights that no other network has."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in module.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=generator) + 0.1)
    return module.eval()


def opened(path: Path, weights: Path, function: str = "model", **options: Any) -> Network:
    return open_network(f"{path}:{function}", weights, Options(**options))


def same(network: Network, module: nn.Module) -> None:
    """Check that a network computes what plain torch does with this module."""
    images = torch.rand((3, *network.pixels.shape), generator=torch.Generator().manual_seed(0))
    inputs = network.normalise(images)
    with torch.no_grad():
        torch.testing.assert_close(network.module(inputs), module.eval()(inputs))


def named(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}
