"""The networks and discriminators that come with the program, opened by name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.networks import lenet
from ldam_studio.networks.discriminator import Discriminator as MnistDiscriminator
from ldam_studio.networks.network import Network, PixelSpec
from ldam_studio.networks.weights import load_into, read_state_dict

NETWORKS = {
    "lenet": "LeNet-5 on MNIST, as its training ended",
    "lenet-averaged": "LeNet-5 on MNIST, its parameters averaged over the last five epochs",
}
"""Names that `open_network` knows, with a line about each."""

DISCRIMINATORS = {"lenet": "lenet-discriminator", "lenet-averaged": "lenet-discriminator"}
"""The shipped discriminator of each network."""

MNIST_PIXELS = PixelSpec(1, 28, 28, mean=(lenet.MEAN,), std=(lenet.STD,), rest=0.0)


@dataclass(frozen=True)
class DiscriminatorModel:
    """A trained discriminator: pixels (n, C, H, W) -> logits (n,), frozen, in evaluation mode."""

    name: str
    module: nn.Module
    shape: tuple[int, int, int]
    sha256: str = ""
    weights: Path | None = None

    @property
    def reference(self) -> dict[str, Any]:
        """Return what a recipe writes down to find this discriminator again."""
        weights = None if self.weights is None else str(self.weights)
        return {"name": self.name, "weights": weights, "sha256": self.sha256}


def open_network(name: str, weights: Path | None = None) -> Network:
    """Open a network by name, with the shipped weights or those in a file.

    Raises
    ------
    StudioError
        If there is no such network, or the weights are not its own.
    """
    if name not in NETWORKS:
        raise StudioError(f"There is no network {name!r}; there are {', '.join(NETWORKS)}.")
    module = lenet.LeNet5()
    source = asset("models", f"{name}.safetensors") if weights is None else weights
    state, sha256 = read_state_dict(source)
    load_into(module, state, source)
    return Network(name, module, MNIST_PIXELS, lenet.LABELS, sha256, weights)


def open_discriminator(
    name: str = "lenet-discriminator", weights: Path | None = None
) -> DiscriminatorModel:
    """Open a shipped discriminator by name, or one of the same architecture from a file."""
    if name not in DISCRIMINATORS.values():
        known = ", ".join(sorted(set(DISCRIMINATORS.values())))
        raise StudioError(f"There is no discriminator {name!r}; there is {known}.")
    module: nn.Module = MnistDiscriminator()
    module.to(memory_format=torch.channels_last)
    source = asset("models", f"{name}.safetensors") if weights is None else weights
    state, sha256 = read_state_dict(source)
    load_into(module, state, source)
    module.eval().requires_grad_(False)
    return DiscriminatorModel(name, module, MNIST_PIXELS.shape, sha256, weights)


def fingerprint(module: nn.Module) -> str:
    """Return a SHA-256 over a module's weights, for one that was not read from a file."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
