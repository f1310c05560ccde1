"""The discriminators that ship with the program, and opening one.

To add one, write its architecture in `models/`, put its weights and card beside the others, and add
its row to `DISCRIMINATORS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError
from ldam_studio.networks.models import natural_discriminator as natural
from ldam_studio.networks.models.colour_discriminator import ColourDiscriminator, Vgg16Discriminator
from ldam_studio.networks.models.digit_discriminator import DigitDiscriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.prepare import prepare
from ldam_studio.networks.sources.built_in import CIFAR_PIXELS, MNIST_PIXELS
from ldam_studio.networks.weights.suffixes import SAFETENSORS
from ldam_studio.networks.weights.weights import load_into, read_saved

MNIST_DISCRIMINATOR, CIFAR_DISCRIMINATOR = "lenet-discriminator", "cifar10-discriminator"
NATURAL_DISCRIMINATOR = "natural-discriminator"

DIGITS, CIFAR10, PHOTOGRAPHS = "digits", "cifar10", "photographs"
"""Kinds of real images for a discriminator to learn from, see `training.real_images`."""


@dataclass(frozen=True)
class ImageSizes:
    """A range of images with pixels from 0 to 1.

    Attributes
    ----------
    channels
        Their number of channels.
    least, most
        Smallest and largest (height, width) in pixels; `most` is None without a limit.
    """

    channels: int
    least: tuple[int, int]
    most: tuple[int, int] | None

    @classmethod
    def exactly(cls, shape: tuple[int, int, int]) -> ImageSizes:
        """Return the range that contains only the shape (C, H, W)."""
        channels, *size = shape
        height, width = size
        return cls(channels, (height, width), (height, width))

    def include(self, pixels: PixelSpec) -> bool:
        """Return whether a network's images are in the range."""
        size = pixels.height, pixels.width
        large = all(side >= least for side, least in zip(size, self.least, strict=True))
        most = self.most or size
        small = all(side <= limit for side, limit in zip(size, most, strict=True))
        return pixels.channels == self.channels and large and small and pixels.bounds == (0.0, 1.0)

    def __str__(self) -> str:
        """Return the range in words."""
        if self.most == self.least:
            return f"images of shape {(self.channels, *self.least)}"
        colour = {1: "grey", 3: "RGB"}.get(self.channels, f"{self.channels}-channel")
        least = "x".join(map(str, self.least))
        if self.most is None:
            return f"{colour} images of at least {least} pixels between 0 and 1"
        return f"{colour} images of {least} to {'x'.join(map(str, self.most))} pixels"


@dataclass(frozen=True)
class Discriminator:
    """One row of `DISCRIMINATORS`.

    Attributes
    ----------
    name
        Its name, which is also that of its shipped weights in `models/`.
    builds
        The architectures that its weights may have, by name, the shipped one first.
    takes
        The images that it can judge.
    chosen_for
        The images of the networks for which it is offered: those similar to its training images.
    real_images
        The kind of real images from which it learns: `DIGITS`, `CIFAR10` or `PHOTOGRAPHS`.
    """

    name: str
    builds: Mapping[str, Callable[[], nn.Module]]
    takes: ImageSizes
    chosen_for: ImageSizes
    real_images: str


def _of_one_size(
    name: str, builds: Mapping[str, Callable[[], nn.Module]], pixels: PixelSpec, real_images: str
) -> Discriminator:
    sizes = ImageSizes.exactly(pixels.shape)
    return Discriminator(name, builds, sizes, sizes, real_images)


DISCRIMINATORS = {
    row.name: row
    for row in (
        _of_one_size(MNIST_DISCRIMINATOR, {"small": DigitDiscriminator}, MNIST_PIXELS, DIGITS),
        _of_one_size(
            CIFAR_DISCRIMINATOR,
            {"small": ColourDiscriminator, "vgg16": Vgg16Discriminator},
            CIFAR_PIXELS,
            CIFAR10,
        ),
        Discriminator(
            NATURAL_DISCRIMINATOR,
            {"small": natural.NaturalDiscriminator},
            takes=ImageSizes(3, (natural.SMALLEST_SIDE,) * 2, None),
            chosen_for=ImageSizes(3, (natural.LEAST_SIDE,) * 2, (natural.MOST_SIDE,) * 2),
            real_images=PHOTOGRAPHS,
        ),
    )
}
"""The table of discriminators, by name. A network gets the first one that is chosen for its
images."""


@dataclass(frozen=True)
class DiscriminatorModel:
    """A trained discriminator: pixels (n, C, H, W) -> logits (n,), frozen, in evaluation mode.

    Attributes
    ----------
    images
        The images that it takes.
    sha256, weights
        SHA-256 and path of its weights file; `weights` is None for the shipped one.
    """

    name: str
    module: nn.Module
    images: ImageSizes
    sha256: str = ""
    weights: Path | None = None

    def takes(self, pixels: PixelSpec) -> bool:
        """Return whether it can judge the images that a network takes."""
        return self.images.include(pixels)

    @property
    def reference(self) -> dict[str, Any]:
        """The description with which a recipe finds this discriminator again."""
        weights = None if self.weights is None else str(self.weights)
        return {"name": self.name, "weights": weights, "sha256": self.sha256}


def discriminator_for(network: Network) -> str | None:
    """Return the name of the discriminator for a network's images; None if there is none.

    A discriminator sees only images, so the choice depends only on the images that the network
    takes.
    """
    rows = DISCRIMINATORS.values()
    return next((row.name for row in rows if row.chosen_for.include(network.pixels)), None)


def open_discriminator(
    name: str = MNIST_DISCRIMINATOR, weights: Path | None = None
) -> DiscriminatorModel:
    """Open a discriminator by name, with its shipped weights or those in a file.

    Raises
    ------
    StudioError
        If there is no such discriminator, or the weights cannot be read or do not fit.
    """
    row = DISCRIMINATORS.get(name)
    if row is None:
        raise StudioError(
            f"There is no discriminator {name!r}; there are {', '.join(sorted(DISCRIMINATORS))}."
        )
    origin = asset("models", f"{name}{SAFETENSORS}") if weights is None else weights
    saved, sha256 = read_saved(origin)
    modules = [build() for build in row.builds.values()]
    module = next((m for m in modules if m.state_dict().keys() == saved.keys()), modules[0])
    load_into(module, saved, origin)
    return DiscriminatorModel(name, prepare(module), row.takes, sha256, weights)


def discriminator_of(network: Network, weights: Path | None, otherwise: str) -> DiscriminatorModel:
    """Open the discriminator for a network's images, with the shipped weights or with `weights`.

    Raises
    ------
    StudioError
        If there is none; the message ends in `otherwise`, which says what to do.
    """
    name = discriminator_for(network)
    if name is None:
        raise StudioError(f"There is no discriminator for {network.name}; {otherwise}.")
    return open_discriminator(name, weights)
