"""What a person's own code gives, and what the program asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.pixels import PixelSpec, UnknownInputError

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network


def module_of(made: Any, where: str) -> nn.Module:
    """Return the module that a function made, by itself or beside its pixels.

    Raises
    ------
    StudioError
        If there is none, or one that cannot be looked into.
    """
    if isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], nn.Module):
        made, pixels = made
        made.pixels = pixels
    if not isinstance(made, nn.Module):
        raise StudioError(f"{where} returned {type(made).__name__}, not a torch.nn.Module.")
    if any(isinstance(part, torch.jit.ScriptModule) for part in made.modules()):
        raise StudioError(
            f"{where} returned a TorchScript module, whose layers cannot be looked at; return the "
            "torch.nn.Module that it was made from."
        )
    return made


def declared_pixels(module: nn.Module) -> PixelSpec | None:
    """Return the input that a module declares: a `PixelSpec` or a dictionary of one."""
    declared = getattr(module, "pixels", None)
    if isinstance(declared, PixelSpec):
        return declared
    return PixelSpec.of(declared) if isinstance(declared, Mapping) else None


def unknown_input(name: str) -> UnknownInputError:
    """Say that nothing tells what images a network takes."""
    return UnknownInputError(
        f"Nothing tells what images {name} takes; give --input-size, --mean and --std, or a "
        "pixels attribute on the module."
    )


def initialise(module: nn.Module, name: str, pixels: PixelSpec | None) -> None:
    """Let a module's lazy layers find their sizes, with an image at rest; in place.

    Raises
    ------
    StudioError
        If it fails on such an image, or it is not known what images it takes.
    """
    if not any(is_lazy(tensor) for tensor in chain(module.parameters(), module.buffers())):
        return
    if pixels is None:
        raise unknown_input(name)
    image = at_rest(pixels)
    try:
        with torch.no_grad():
            # In evaluation mode, or a batch norm would take this image for its first batch.
            module.eval()(image)
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        raise StudioError(
            f"{name} has lazy layers and fails on an image of {' x '.join(map(str, pixels.shape))} "
            f"({in_short(error)}); give the input that it was made for."
        ) from None


def at_rest(pixels: PixelSpec) -> Tensor:
    """Return the network's input for one image at rest, (1, C, H, W)."""
    mean, std = (torch.tensor(v).reshape(1, -1, 1, 1) for v in (pixels.mean, pixels.std))
    return (torch.full((1, *pixels.shape), pixels.rest) - mean) / std


def in_float32(module: nn.Module) -> str:
    """Turn a module's weights into float32, which chains are in; in place.

    Returns
    -------
    What its weights were, in words; empty if they were float32.
    """
    kinds = {p.dtype for p in module.parameters() if p.is_floating_point()}
    others = sorted(str(kind).removeprefix("torch.") for kind in kinds - {torch.float32})
    if others:
        module.float()
    return " and ".join(others)


def check_batches(network: Network) -> None:
    """See that a network takes two images at once, as chains are run.

    Raises
    ------
    StudioError
        If it does not.
    """
    last = network.layers[-1]
    images = torch.full((2, *network.pixels.shape), network.pixels.rest, device=network.device)
    found = ""
    try:
        with torch.no_grad():
            shape = tuple(network.output(images, last.name).shape)
        if shape != (2, *last.shape):
            found = f"for two, layer {last.name} gives {' x '.join(map(str, shape))}"
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        found = in_short(error)
    if found:
        raise StudioError(
            f"{network.name} takes one image at a time ({found}); its forward pass must take "
            "several at once, (n, channels, height, width), and give (n, ...)."
        )
