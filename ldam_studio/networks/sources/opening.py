"""Opening networks and discriminators: those that come with the program, and anybody's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import enough_for, is_lack_of_memory
from ldam_studio.networks.models import lenet, vgg
from ldam_studio.networks.models import natural_discriminator as natural
from ldam_studio.networks.models.colour_discriminator import ColourDiscriminator, Vgg16Discriminator
from ldam_studio.networks.models.digit_discriminator import Discriminator as MnistDiscriminator
from ldam_studio.networks.network import Network, Reading
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.prepare import prepare
from ldam_studio.networks.sources.download import OnBytes, fetch, kept
from ldam_studio.networks.sources.find import find_source
from ldam_studio.networks.sources.labels import labels_for
from ldam_studio.networks.sources.libraries import TIMM, TORCHVISION, Published, Source
from ldam_studio.networks.sources.own_code import (
    at_rest,
    check_batches,
    declared_pixels,
    in_float32,
    initialise,
    unknown_input,
)
from ldam_studio.networks.weights.state_dicts import Match, classes_in, own_tensors, renamed
from ldam_studio.networks.weights.weights import check_finite, check_module, load_into, read_saved

MNIST_PIXELS = PixelSpec(1, 28, 28, mean=(lenet.MEAN,), std=(lenet.STD,), rest=0.0)
CIFAR_PIXELS = PixelSpec(3, 32, 32, mean=vgg.MEAN, std=vgg.STD, rest=0.5)
MNIST_DISCRIMINATOR, CIFAR_DISCRIMINATOR = "lenet-discriminator", "cifar10-discriminator"


@dataclass(frozen=True)
class BuiltIn:
    """A network that comes with the program: a line about it, and what it is made of."""

    about: str
    build: Callable[[int], nn.Module]
    pixels: PixelSpec
    labels: tuple[str, ...]
    discriminator: str


def _lenet(about: str) -> BuiltIn:
    return BuiltIn(about, lenet.LeNet5, MNIST_PIXELS, lenet.LABELS, MNIST_DISCRIMINATOR)


def _vgg(about: str) -> BuiltIn:
    return BuiltIn(about, vgg.Vgg, CIFAR_PIXELS, vgg.LABELS, CIFAR_DISCRIMINATOR)


BUILT_IN = {
    "lenet": _lenet("LeNet-5 on MNIST, as its training ended"),
    "lenet-averaged": _lenet("LeNet-5 on MNIST, its parameters averaged over the last five epochs"),
    "vgg": _vgg("VGG on CIFAR-10, as its training ended"),
    "vgg-averaged": _vgg("VGG on CIFAR-10, its parameters averaged over the last three epochs"),
}
"""The networks that come with the program, by name."""

NETWORKS = {name: one.about for name, one in BUILT_IN.items()}
"""A line about each of them."""

DISCRIMINATORS = {name: one.discriminator for name, one in BUILT_IN.items()}
"""The shipped discriminator of each network that comes with the program."""

ARCHITECTURES: dict[str, tuple[Callable[[], nn.Module], ...]] = {
    MNIST_DISCRIMINATOR: (MnistDiscriminator,),
    CIFAR_DISCRIMINATOR: (ColourDiscriminator, Vgg16Discriminator),
    natural.NAME: (natural.NaturalDiscriminator,),
}
"""What each discriminator may be built as, the shipped one first."""

NAMED = 3  # weights that are named where some are missing

SHAPES = {MNIST_DISCRIMINATOR: MNIST_PIXELS.shape, CIFAR_DISCRIMINATOR: CIFAR_PIXELS.shape}
"""Of the images of those discriminators that take one size alone."""


@dataclass(frozen=True)
class DiscriminatorModel:
    """A trained discriminator: pixels (n, C, H, W) -> logits (n,), frozen, in evaluation mode.

    `shape` is that of the images it was made for, None if it takes RGB images of any size.
    """

    name: str
    module: nn.Module
    shape: tuple[int, int, int] | None
    sha256: str = ""
    weights: Path | None = None

    @property
    def images(self) -> str:
        """Say which images it takes."""
        least = natural.SMALLEST_SIDE
        if self.shape is None:
            return f"RGB images of at least {least}x{least} pixels between 0 and 1"
        return f"images of shape {self.shape}"

    def takes(self, pixels: PixelSpec) -> bool:
        """Whether its images are those that a network takes."""
        if self.shape is not None:
            return self.shape == pixels.shape
        large = min(pixels.height, pixels.width) >= natural.SMALLEST_SIDE
        return pixels.channels == 3 and large and pixels.bounds == (0.0, 1.0)

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
        Its input, where its source does not tell; a built-in network takes no other than its own.
    labels
        A text file with one class name a line; "imagenet" for ImageNet's 1,000.
    partial
        Take weights of which only a part fits.
    untrained
        Leave the random weights that it is built with, the same each time, where no file is given.
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
        One of `BUILT_IN`; ``torchvision:NAME`` for its classification models; ``timm:NAME`` with
        the extra timm; or ``path/file.py:function`` or ``package.module:function`` returning an
        ``nn.Module``, which is the person's own code and is run.
    weights
        A safetensors file or a saved state dict; else the shipped or the publisher's own weights,
        or what the function returned.

    Raises
    ------
    StudioError
        If there is no such network, its weights cannot be had or are not its own, its input is not
        known, or there is too little memory for it.
    """
    with enough_for(f"The network {name}", "close other programs, or take a smaller network"):
        return _open(name, weights, options or Options())


def _open(name: str, weights: Path | None, options: Options) -> Network:
    untrained = options.untrained and weights is None
    source = _source(name, options)
    # What is left at its random start must be the same the next time, or no session replays.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module, sha256, missing, notes = _with_weights(source, name, weights, options)
    pixels = _input_of(source, module, options)
    if pixels is None:
        raise unknown_input(name)
    network = Network(name, module, pixels.from_0_to_1(), (), sha256, weights, options.pixels)
    if runs_code(name):
        check_batches(network)
    network.labels = _labels(network, source, options.labels)
    network.given_labels = options.labels
    network.partial = options.partial and weights is not None
    network.untrained = untrained
    network.notes = notes
    network.reading = Reading(source.new_name, source.spare, options.partial, missing)
    return network


def _source(name: str, options: Options) -> Source:
    if name in BUILT_IN:
        return _built_in(name, options)
    if ":" not in name:
        raise StudioError(
            f"There is no network {name!r}; there are {', '.join(NETWORKS)}, torchvision:NAME, "
            "timm:NAME and FILE.py:FUNCTION."
        )
    return find_source(name)


def _built_in(name: str, options: Options) -> Source:
    """Return how to build a network that comes with the program; its input cannot be another."""
    one = BUILT_IN[name]
    if options.pixels is not None and replace(options.pixels, shown=()) != one.pixels:
        raise StudioError(
            f"{name} takes images of {' x '.join(map(str, one.pixels.shape))} with a mean and std "
            "of its own; leave out --input-size, --mean, --std and what goes with them."
        )
    return Source(
        lambda classes: one.build(classes or len(one.labels)),
        one.pixels,
        one.labels,
        len(one.labels),
        Published("", "", asset("models", f"{name}.safetensors")),
    )


def _with_weights(
    source: Source, name: str, weights: Path | None, options: Options
) -> tuple[nn.Module, str, tuple[str, ...] | None, tuple[str, ...]]:
    """Build the module and give it its weights.

    Returns it with the weights' SHA-256, the names of those that a person's file lacked, and notes
    on what was done to it.
    """
    published = source.published
    if weights is None and (published is None or options.untrained):
        module, notes = _build(source, name, options)
        check_module(module, name, _at_rest(source, module, options))
        return module, fingerprint(module), None, notes
    origin = weights
    if origin is None:
        assert published is not None
        origin = published.here or fetch(published.url, options.on_bytes, file=published.file)
    saved, sha256 = read_saved(origin)
    if weights is None and source.build_published is not None:
        return _published(source.build_published, saved, name, origin), sha256, None, ()
    if source.new_name is not None:
        saved = renamed(saved, source.new_name)
    module, notes = _build(source, name, options)
    if source.classes:
        # A fine-tuned network differs from the published one in its number of classes alone.
        classes = classes_in(saved, module, source.classes)
        module = module if classes is None else source.build(classes)
    match = load_into(module, saved, f"{origin}, taken for {name},", options.partial, source.spare)
    if runs_code(name):
        check_module(module, name, _at_rest(source, module, options))  # also what no file holds
    if weights is None:
        return module, sha256, None, notes
    return module, sha256, match.missing, (*notes, *_left(match, weights))


def _input_of(source: Source, module: nn.Module, options: Options) -> PixelSpec | None:
    """Return a network's input: what a person says counts before what its source or code does."""
    return options.pixels or source.pixels or declared_pixels(module)


def _at_rest(source: Source, module: nn.Module, options: Options) -> Tensor | None:
    pixels = _input_of(source, module, options)
    return None if pixels is None else at_rest(pixels)


def _left(match: Match, weights: Path) -> tuple[str, ...]:
    """Say which weights a file did not have, where a part of them was enough."""
    # Those of another shape are listed with both shapes.
    names = [*match.missing, *(each.partition(" ")[0] for each in match.misshapen)]
    if not names:
        return ()
    first = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
    are, stay = ("weight is", "stays") if len(names) == 1 else ("weights are", "stay")
    return (
        f"{len(names)} {are} not in {weights.name}, or not in this shape, and {stay} as the "
        f"network was built: {first}.",
    )


def _build(source: Source, name: str, options: Options) -> tuple[nn.Module, tuple[str, ...]]:
    """Build a module; a person's own is put into the form that the program works with."""
    module = source.build(None)
    if not runs_code(name):
        return module, ()
    initialise(module, name, _input_of(source, module, options))
    were = in_float32(module)
    return module, (f"Its weights were {were} and are used as float32.",) if were else ()


def not_here(name: str) -> Published | None:
    """Return what would be downloaded to open the network `name` with its published weights.

    None where there is nothing to download: a built-in network, a person's own code, or weights
    that are on this computer.

    Raises
    ------
    StudioError
        If there is no such network.
    """
    if not name.startswith((TORCHVISION, TIMM)):
        return None
    published = find_source(name).published
    if published is None or published.here is not None:
        return None
    return None if kept(published.url, file=published.file).exists() else published


def _published(
    build: Callable[[dict[str, Any]], nn.Module], saved: dict[str, Any], name: str, origin: Path
) -> nn.Module:
    """Let a library build its own network with what it publishes for it."""
    try:
        module = build(saved)
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        raise StudioError(
            f"The published weights {origin} do not fit {name} ({in_short(error)}); give a file of "
            "weights (--weights)."
        ) from None
    check_finite(module.state_dict(), origin)
    return module


def _labels(network: Network, source: Source, path: Path | None) -> tuple[str, ...]:
    outputs = network.layers[-1].neurons
    if path is not None:
        return labels_for(outputs, path)
    return source.labels if len(source.labels) == outputs else ()


def discriminator_for(network: Network) -> str | None:
    """Return the name of the discriminator for a network's images; None if there is none.

    A discriminator sees the image alone, so that whosever the network is, what its images are like
    decides: grey ones of 28 pixels have that of digits, RGB ones of 32 pixels that of CIFAR-10, and
    those of about 224 pixels that of natural images.
    """
    pixels = network.pixels
    if pixels.bounds != (0.0, 1.0):
        return None
    for name, shape in SHAPES.items():
        if pixels.shape == shape:
            return name
    sides = sorted((pixels.height, pixels.width))
    about = natural.LEAST_SIDE <= sides[0] and sides[1] <= natural.MOST_SIDE
    return natural.NAME if pixels.channels == 3 and about else None


def open_discriminator(
    name: str = MNIST_DISCRIMINATOR, weights: Path | None = None
) -> DiscriminatorModel:
    """Open a shipped discriminator by name, or one for the same images from a file."""
    if name not in ARCHITECTURES:
        raise StudioError(
            f"There is no discriminator {name!r}; there are {', '.join(sorted(ARCHITECTURES))}."
        )
    origin = asset("models", f"{name}.safetensors") if weights is None else weights
    saved, sha256 = read_saved(origin)
    modules = [build() for build in ARCHITECTURES[name]]
    module = next((m for m in modules if m.state_dict().keys() == saved.keys()), modules[0])
    load_into(module, saved, origin)
    return DiscriminatorModel(name, prepare(module), SHAPES.get(name), sha256, weights)


def runs_code(name: str) -> bool:
    """Whether opening the network of that name runs code that is not the program's own."""
    return name not in BUILT_IN and not name.startswith((TORCHVISION, TIMM))


def fingerprint(module: nn.Module) -> str:
    """Return a SHA-256 over a module's weights, for one that was not read from a file."""
    digest = hashlib.sha256()
    for name, value in sorted(own_tensors(module).items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
