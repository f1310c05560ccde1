"""`open_network`: a network by its name, or a copy of a module in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from torch import nn

from ldam_studio.errors import StudioError, plain
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec, UnknownInputError
from ldam_studio.networks.sources.labels import MOST_LETTERS
from ldam_studio.networks.sources.opening import open_module
from ldam_studio.networks.sources.opening import open_network as open_named
from ldam_studio.networks.sources.options import Options
from ldam_studio.networks.sources.returned import of_transforms
from ldam_studio.networks.weights.choice import WeightsChoice
from ldam_studio.scripting.course import OnStep
from ldam_studio.scripting.telling import telling
from ldam_studio.scripting.undisturbed import undisturbed


def open_network(
    network: str | nn.Module,
    *,
    pixels: PixelSpec | Mapping[str, Any] | Callable[..., Any] | None = None,
    weights: str | os.PathLike[str] | None = None,
    labels: str | os.PathLike[str] | Sequence[str] | None = None,
    class_layer: str | None = None,
    partial: bool = False,
    progress: bool | OnStep = False,
) -> Network:
    """Open a network, to draw what its neurons respond to.

    A module is copied, with its weights as they are now, and is not changed: neither its mode,
    hooks, gradients, device and types, nor anything that torch keeps for the whole program. Its own
    hooks are part of what it computes, so that the copy has them and calls them.

    Parameters
    ----------
    network
        A name as for ``ldam-studio render --network`` (``lenet``, ``torchvision:resnet18``,
        ``timm:NAME``, ``FILE.py:FUNCTION``, whose code is run), or a `torch.nn.Module` that takes
        normalised images (n, C, H, W). A library's published weights are downloaded if they are
        missing.
    pixels
        The images that it takes: a `PixelSpec`, a dictionary of its arguments (the sizes
        ``channels``, ``height`` and ``width`` in pixels, and ``mean`` and ``std`` for each channel,
        for pixels from 0 for black to 1 for white; L2 pulls towards ``rest``, half-way between them
        unless it is given), or torchvision's transforms, of which size, mean and std are read.
        Needed unless the name says it, or the module has an attribute ``pixels``.
    weights
        A file of weights, ``FILE::KEY`` for one of several sets in it, or ``random`` or
        ``random:SEED``. None for those that are published, or that the module has.
    labels
        The names of the classes, in order; or a text file with one name per line; or ``imagenet``.
    class_layer
        The layer whose neurons are the classes; None for the likeliest output.
    partial
        Whether a file of weights may fit only in part.
    progress
        True for a bar while published weights are downloaded; or a function that is called with the
        number of bytes received and of all bytes (0 if unknown), and may return False to stop.

    Returns
    -------
    The network, on the processor. Its attributes `name`, `pixels`, `labels`, `layers` (each with a
    `name`, a `shape` and its number of `neurons`) and `class_layer`, and its method `to`, may be
    used; everything else is private. One network serves any number of runs.

    Raises
    ------
    StudioError
        If there is no such network, its weights cannot be read, do not fit or are not finite, its
        input is not known or it fails on it, the number of labels is another one, or `progress`
        stopped a download.
    """
    if not isinstance(network, str | nn.Module):
        raise StudioError(
            f"A network is a name or a torch.nn.Module, not {type(network).__name__}."
        )
    choice = _weights_of(weights)
    options = Options(
        _pixels_of(pixels),
        _labels_of(labels),
        partial,
        class_layer=class_layer,
        weights_key=choice.key,
        random_seed=choice.seed,
    )
    name = network if isinstance(network, str) else type(network).__name__
    with undisturbed(), telling(progress, f"downloading {name}") as on_bytes:
        options = replace(options, on_bytes=lambda had, size: on_bytes(had, size) is not False)
        try:
            if isinstance(network, str):
                return open_named(network, choice.file, options)
            return open_module(network, choice.file, options)
        except UnknownInputError:
            raise StudioError(
                f"It is not known which images {name} takes; give open_network pixels=, a "
                "dictionary with channels, height, width, mean and std."
            ) from None


def _weights_of(weights: object) -> WeightsChoice:
    if weights is None:
        return WeightsChoice()
    if not isinstance(weights, str | os.PathLike):
        raise StudioError(
            f"weights= is the path of a file, not {type(weights).__name__}; weights in memory are "
            "loaded into a module, which is given as the network."
        )
    return WeightsChoice.parse(os.fspath(weights))


def _check_described(pixels: Mapping[str, Any]) -> None:
    """Raise `StudioError` if a description of images lacks something, or has what is unknown."""
    known = [field.name for field in fields(PixelSpec)]
    needed = [field.name for field in fields(PixelSpec) if field.default is MISSING]
    missing = [name for name in needed if name not in pixels]
    unknown = [str(name) for name in pixels if name not in known]
    if missing or unknown:
        what = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(unknown)}"
        raise StudioError(f"The dictionary pixels= {what}; its entries are {', '.join(known)}.")
    for name in ("mean", "std"):
        if not isinstance(pixels[name], Iterable):
            raise StudioError(
                f"pixels= needs one {name} for each channel, as a list, not {pixels[name]!r}."
            )


def _pixels_of(pixels: object) -> PixelSpec | None:
    if pixels is None or isinstance(pixels, PixelSpec):
        return pixels
    if isinstance(pixels, Mapping):
        _check_described(pixels)
        described = {"minimum": 0.0, "maximum": 1.0, **pixels}
        with suppress(TypeError):  # of what is no number, reading it says more
            described.setdefault("rest", (described["minimum"] + described["maximum"]) / 2)
        return PixelSpec.of(described)
    found = of_transforms(pixels)
    if found is None:
        raise StudioError(
            "pixels= is neither a dictionary with channels, height, width, mean and std nor "
            "transforms that crop and normalise; give the dictionary."
        )
    return found


def _labels_of(
    labels: str | os.PathLike[str] | Sequence[str] | None,
) -> Path | tuple[str, ...] | None:
    if labels is None:
        return None
    if isinstance(labels, str | os.PathLike):
        return Path(labels)
    if not isinstance(labels, Iterable) or isinstance(labels, Mapping | bytes):
        raise StudioError(
            f"labels= is a list of names in the order of the classes, a text file or imagenet, not "
            f"{type(labels).__name__}; of a dictionary by numbers, give the names in their order."
        )
    return tuple(plain(str(label), MOST_LETTERS) for label in labels)
