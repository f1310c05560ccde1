"""A judge: a second network of the same classes, matched to the one that is explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.assets import asset
from ldam_studio.errors import StudioError, plain
from ldam_studio.explore.classes import probabilities
from ldam_studio.networks.models.judges import ColourJudge, DigitJudge
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec
from ldam_studio.networks.sources.built_in import BUILT_IN, CIFAR_PIXELS, MNIST_PIXELS
from ldam_studio.networks.sources.families import short_name
from ldam_studio.networks.statistics.statistics import key_of
from ldam_studio.networks.weights.weights import load_into, read_saved
from ldam_studio.sampler.resize import resized

BATCH_VALUES = 2_400_000
"""Values of the images in one pass of a judge."""
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601), as Pillow has them."""
SHIPPED = {"lenet": "judge.safetensors", "vgg": "cifar10-judge.safetensors"}
"""The judges that ship, by the beginning of the names of the networks that they judge."""


@dataclass(frozen=True)
class Judge:
    """A network that names images of another network's classes.

    Attributes
    ----------
    network
        The judge, with a module of its own.
    title
        What it is called.
    order
        For each class of the explained network, the number of the same class of the judge.
    labels
        The names of the explained network's classes.
    is_same
        Whether it is the explained network itself, so that its verdict is no second opinion.
    """

    network: Network
    title: str
    order: tuple[int, ...]
    labels: tuple[str, ...]
    is_same: bool

    def probabilities(self, x: Tensor, pixels: PixelSpec) -> Tensor:
        """Return the probability of each of the explained network's classes, (n, classes).

        Parameters
        ----------
        x
            Images (n, C, H, W) in the pixel units of the explained network.
        pixels
            The input of the explained network.

        Raises
        ------
        StudioError
            If the judge gives no probabilities.
        """
        shown = as_shown_to(self.network.pixels, x.float().cpu(), pixels)
        size = max(1, BATCH_VALUES // shown[0].numel())
        found = torch.cat([probabilities(self.network, batch) for batch in shown.split(size)])
        if found.shape != (len(x), len(self.order)) or not bool(found.isfinite().all()):
            raise StudioError(
                f"{self.title} gives no probabilities for the averages, only values that are no "
                "numbers or too many; restart the chains, or open another judge."
            )
        return found[:, list(self.order)]


def judge_of(explained: Network, judge: Network) -> Judge:
    """Return a network as a judge of another.

    Classes are matched by their names where one network has them in another order.

    Raises
    ------
    StudioError
        If it has other classes, or takes images that cannot be made of the other's.
    """
    title = short_name(judge.name)
    ours, theirs = explained.class_layer.neurons, judge.class_layer.neurons
    if ours != theirs:
        raise StudioError(
            f"The judge {title} has {theirs:,} classes, but {short_name(explained.name)} has "
            f"{ours:,}; open a judge of the same classes."
        )
    if judge.pixels.channels not in (1, 3, explained.pixels.channels):
        raise StudioError(
            f"The judge {title} takes images of {judge.pixels.channels} channels, which cannot be "
            f"made of those of {short_name(explained.name)}; open another judge."
        )
    order = _order(explained, judge, title)
    same = judge.module is explained.module or key_of(judge.module) == key_of(explained.module)
    labels = explained.labels or judge.labels or tuple(str(number) for number in range(ours))
    return Judge(judge.alongside(), title, order, labels, same)


def own_judge(explained: Network) -> Judge:
    """Return the explained network as its own judge, until there is another."""
    return judge_of(explained, explained)


def shipped_judge(explained: Network) -> Judge | None:
    """Return the judge that ships for a network; None if there is none."""
    if explained.name not in BUILT_IN:
        return None
    kind = explained.name.partition("-")[0]
    pixels = {"lenet": MNIST_PIXELS, "vgg": CIFAR_PIXELS}[kind]
    module = {"lenet": DigitJudge, "vgg": ColourJudge}[kind]()
    path = asset("models", SHIPPED[kind])
    state, _ = read_saved(path)
    load_into(module, state, path)
    title = "All-convolutional judge" if kind == "lenet" else "Residual judge"
    return judge_of(explained, Network(title, module, pixels, BUILT_IN[explained.name].labels))


def has_shipped_judge(explained: Network) -> bool:
    """Return whether `shipped_judge` has one; nothing is opened."""
    return explained.name in BUILT_IN


def _order(explained: Network, judge: Network, title: str) -> tuple[int, ...]:
    here, there = explained.labels, judge.labels
    same = tuple(range(explained.class_layer.neurons))
    if not here or not there or here == there:
        return same
    ours, theirs = _plain(here), _plain(there)
    if ours == theirs:
        return same
    if len(set(theirs)) == len(theirs) and set(ours) == set(theirs):
        return tuple(theirs.index(label) for label in ours)
    missing = next((h for h, o in zip(here, ours, strict=True) if o not in theirs), here[0])
    raise StudioError(
        f"The judge {title} names other classes: it has no {plain(missing, 60)}; open a judge of "
        "the same classes."
    )


def _plain(labels: Sequence[str]) -> list[str]:
    return [" ".join(label.casefold().replace("_", " ").split()) for label in labels]


def as_shown_to(judge: PixelSpec, x: Tensor, pixels: PixelSpec) -> Tensor:
    """Return images of one network as another takes them.

    They are clamped to the range of real images, and brought to the other's size, range and
    channels: grey becomes three equal channels, and colours become grey by `LUMA`.

    Parameters
    ----------
    judge, pixels
        The input of the network that is to see them, and that of the one they belong to.
    x
        Shape (n, C, H, W), in pixel units of `pixels`.
    """
    low, high = pixels.bounds
    unit = (x.clamp(low, high) - low) / (high - low)
    if judge.channels != pixels.channels or judge.picture != pixels.picture:
        shown = unit[:, list(pixels.picture)]
        if judge.channels == 1 and shown.shape[1] == 3:
            weights = torch.tensor(LUMA).reshape(1, 3, 1, 1)
            unit = (shown * weights).sum(1, keepdim=True)
        elif judge.channels == 3:
            shown = shown if shown.shape[1] == 3 else shown[:, :1].expand(-1, 3, -1, -1)
            unit = torch.empty(len(x), 3, *x.shape[2:])
            unit[:, list(judge.picture)] = shown
    low, high = judge.bounds
    return low + (high - low) * resized(unit, (judge.height, judge.width))
