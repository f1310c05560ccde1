"""Small stand-ins for what the engine hands to the window."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from ldam_studio.networks.models.lenet import LABELS, LeNet5
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.pixels import PixelSpec


def lenet() -> Network:
    """Return LeNet with untrained, repeatable weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = LeNet5()
    return Network("lenet", module, PixelSpec(1, 28, 28, (0.1307,), (0.3081,)), LABELS)


def nested() -> Network:
    """Return a network whose layers lie in containers, with a thousand named classes."""
    block = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    module = nn.Sequential()
    module.add_module("features", nn.Sequential(block, nn.Sequential(nn.Conv2d(8, 16, 3))))
    module.add_module("pool", nn.AdaptiveAvgPool2d(1))
    module.add_module("flatten", nn.Flatten())
    module.add_module("classifier", nn.Linear(16, 1000))
    labels = [f"thing number {i}" for i in range(1000)]
    labels[130] = "flamingo"
    labels[980] = "volcano"
    pixels = PixelSpec(3, 16, 16, (0.5,) * 3, (0.25,) * 3, rest=0.5)
    return Network("nested", module, pixels, tuple(labels))


def frame(step: int = 1, chains: int = 10, **given: object) -> SimpleNamespace:
    """Return a frame with one new step in its trace."""
    steps = np.atleast_1d(np.asarray(given.pop("steps", [step])))
    rows = len(steps)
    shared = {
        "number": step,
        "step": int(steps[-1]),
        "commands_seen": 0,
        "marks": (),
        "lesson": None,
    }
    values = {
        "front": 0,
        "chains": chains,
        "raw": np.zeros((1, 28, 28), np.float32),
        "average": None,
        "neurons": tuple(Neuron("fc3", i % 10) for i in range(chains)),
        "labels": tuple(str(i % 10) for i in range(chains)),
        "field": None,
        "objective": "activation",
        "activation": np.zeros(chains, np.float32),
        "real_probability": None,
        "samples": np.zeros(chains, int),
        "burned_in": np.zeros(chains, bool),
        "trace": SimpleNamespace(
            steps=steps,
            activation=np.zeros((rows, chains), np.float32),
            real_probability=np.full((rows, chains), np.nan, np.float32),
            acceptance=np.full((rows, chains), np.nan, np.float32),
            change=np.zeros((rows, chains), np.float32),
        ),
    }
    for name, value in given.items():
        (shared if name in shared else values)[name] = value
    return SimpleNamespace(**shared, lanes=(SimpleNamespace(**values),))
