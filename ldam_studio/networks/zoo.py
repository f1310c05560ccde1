"""Opening networks and discriminators: those that come with the program, and anybody's own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.networks import lenet
from ldam_studio.networks.discriminator import Discriminator as MnistDiscriminator
from ldam_studio.networks.download import OnBytes, fetch
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec, UnknownInputError
from ldam_studio.networks.prepare import prepare
from ldam_studio.networks.sources import TORCHVISION, Source, find_source
from ldam_studio.networks.state_dicts import classes_in
from ldam_studio.networks.weights import load_into, read_saved

NETWORKS = {
    "lenet": "LeNet-5 on MNIST, as its training ended",
    "lenet-averaged": "LeNet-5 on MNIST, its parameters averaged over the last five epochs",
}
"""The networks that come with the program, with a line about each."""

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


@dataclass(frozen=True)
class Options:
    """How to open a network where its name alone does not say it.

    Attributes
    ----------
    pixels
        Its input, where its source does not tell.
    labels
        A text file with one class name a line.
    partial
        Take weights of which only a part fits.
    untrained
        Leave the random weights that it is built with.
    on_bytes
        Told of a download's progress, see `networks.download.fetch`.
    """

    pixels: PixelSpec | None = None
    labels: Path | None = None
    partial: bool = False
    untrained: bool = False
    on_bytes: OnBytes | None = None


def open_network(name: str, weights: Path | None = None, options: Options | None = None) -> Network:
    """Open a network.

    Parameters
    ----------
    name
        One of `NETWORKS`; ``torchvision:NAME`` for its classification models; or
        ``path/file.py:function`` or ``package.module:function`` returning an ``nn.Module``, which
        is the person's own code and is run.
    weights
        A safetensors file or a saved state dict; else the shipped or the publisher's own weights,
        or what the function returned.

    Raises
    ------
    StudioError
        If there is no such network, its weights cannot be had or are not its own, or its input is
        not known.
    """
    options = options or Options()
    if name in NETWORKS:
        return _built_in(name, weights)
    if ":" not in name:
        raise StudioError(
            f"There is no network {name!r}; there are {', '.join(NETWORKS)}, torchvision:NAME and "
            "FILE.py:FUNCTION."
        )
    source = find_source(name)
    # What is left at its random start must be the same the next time, or no session replays.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module, sha256 = _with_weights(source, name, weights, options)
    pixels = options.pixels or source.pixels or _attribute(module)
    if pixels is None:
        raise UnknownInputError(
            f"Nothing tells what images {name} takes; give --input-size, --mean and --std, or a "
            "pixels attribute on the module."
        )
    network = Network(name, module, pixels, (), sha256, weights, options.pixels)
    network.labels = _labels(network, source, options.labels)
    network.given_labels = options.labels
    network.partial = options.partial and weights is not None
    return network


def _built_in(name: str, weights: Path | None) -> Network:
    module = lenet.LeNet5()
    origin = asset("models", f"{name}.safetensors") if weights is None else weights
    saved, sha256 = read_saved(origin)
    load_into(module, saved, origin)
    return Network(name, module, MNIST_PIXELS, lenet.LABELS, sha256, weights)


def _with_weights(
    source: Source, name: str, weights: Path | None, options: Options
) -> tuple[nn.Module, str]:
    """Build the module and give it its weights; returns it with their SHA-256."""
    if weights is None and (source.url is None or options.untrained):
        module = source.build(None)
        return module, fingerprint(module)
    origin = weights
    if origin is None:
        assert source.url is not None
        origin = fetch(source.url, options.on_bytes)
    saved, sha256 = read_saved(origin)
    module = source.build(None)
    if source.labels:
        # A fine-tuned network differs from the published one in its number of classes alone.
        classes = classes_in(saved, module, len(source.labels))
        module = module if classes is None else source.build(classes)
    load_into(module, saved, f"{origin}, taken for {name},", options.partial)
    return module, sha256


def _attribute(module: nn.Module) -> PixelSpec | None:
    """Return the input that a person's module declares: a `PixelSpec` or a dictionary of one."""
    declared = getattr(module, "pixels", None)
    if isinstance(declared, PixelSpec):
        return declared
    return PixelSpec.of(declared) if isinstance(declared, Mapping) else None


def _labels(network: Network, source: Source, path: Path | None) -> tuple[str, ...]:
    outputs = network.layers[-1].neurons
    if path is None:
        return source.labels if len(source.labels) == outputs else ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(
            f"The labels {path} cannot be read ({error}); give a text file."
        ) from None
    labels = tuple(line.strip() for line in lines if line.strip())
    if len(labels) != outputs:
        raise StudioError(
            f"{path} has {len(labels)} labels, the network {outputs} outputs; give one a line."
        )
    return labels


def open_discriminator(
    name: str = "lenet-discriminator", weights: Path | None = None
) -> DiscriminatorModel:
    """Open a shipped discriminator by name, or one of the same architecture from a file."""
    if name not in DISCRIMINATORS.values():
        known = ", ".join(sorted(set(DISCRIMINATORS.values())))
        raise StudioError(f"There is no discriminator {name!r}; there is {known}.")
    module: nn.Module = MnistDiscriminator()
    origin = asset("models", f"{name}.safetensors") if weights is None else weights
    saved, sha256 = read_saved(origin)
    load_into(module, saved, origin)
    return DiscriminatorModel(name, prepare(module), MNIST_PIXELS.shape, sha256, weights)


def runs_code(name: str) -> bool:
    """Whether opening the network of that name runs code that is not the program's own."""
    return name not in NETWORKS and not name.startswith(TORCHVISION)


def fingerprint(module: nn.Module) -> str:
    """Return a SHA-256 over a module's weights, for one that was not read from a file."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
