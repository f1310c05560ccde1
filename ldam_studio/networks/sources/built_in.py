"""The networks that ship with the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from ldam_studio.assets import asset
from ldam_studio.networks.models import lenet, vgg
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.family import Family, Published, Source
from ldam_studio.networks.weights.suffixes import SAFETENSORS

MNIST_PIXELS = PixelSpec(1, 28, 28, mean=(lenet.MEAN,), std=(lenet.STD,), rest=0.0)
CIFAR_PIXELS = PixelSpec(3, 32, 32, mean=vgg.MEAN, std=vgg.STD, rest=0.5)


@dataclass(frozen=True)
class BuiltIn:
    """A network that ships with the program: one line about it, and how it is built."""

    about: str
    build: Callable[[int], nn.Module]
    pixels: PixelSpec
    labels: tuple[str, ...]


def _lenet(about: str) -> BuiltIn:
    return BuiltIn(about, lenet.LeNet5, MNIST_PIXELS, lenet.LABELS)


def _vgg(about: str) -> BuiltIn:
    return BuiltIn(about, vgg.Vgg, CIFAR_PIXELS, vgg.LABELS)


BUILT_IN = {
    "lenet": _lenet("LeNet-5 on MNIST, with the parameters at the end of training"),
    "lenet-averaged": _lenet(
        "LeNet-5 on MNIST, with parameters averaged over the last five epochs"
    ),
    "vgg": _vgg("VGG on CIFAR-10, with the parameters at the end of training"),
    "vgg-averaged": _vgg("VGG on CIFAR-10, its parameters averaged over the last three epochs"),
}
"""The networks that ship with the program, by name."""

NETWORKS = {name: one.about for name, one in BUILT_IN.items()}
"""One line about each of them."""


def _source(name: str) -> Source:
    one = BUILT_IN[name]
    return Source(
        lambda classes: one.build(classes or len(one.labels)),
        one.pixels,
        labels=one.labels,
        classes=len(one.labels),
        published=Published("", "", asset("models", f"{name}{SAFETENSORS}")),
        takes_other_pixels=False,
    )


FAMILY: Family = Family(
    title="built in",
    usage=", ".join(BUILT_IN),
    about="networks that ship with the program",
    find=_source,
    names=lambda: tuple(BUILT_IN),
)
