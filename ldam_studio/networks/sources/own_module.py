"""Checking and preparing the module that the user's own code returns."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ldam_studio.errors import StudioError, in_short
from ldam_studio.memory import is_lack_of_memory
from ldam_studio.networks.anatomy.failing import place_in_code, what_to_do
from ldam_studio.networks.behaviour.randomness import seeded
from ldam_studio.networks.behaviour.state import Kept
from ldam_studio.networks.behaviour.trial import departure, see
from ldam_studio.networks.network import Network
from ldam_studio.networks.pixels import PixelSpec, UnknownInputError
from ldam_studio.networks.sources.returned import module_in


def module_of(made: Any, where: str) -> nn.Module:
    """Return the module that a function returned, alone or with other things, see `returned`.

    Parameters
    ----------
    where
        The function's name in error messages.

    Raises
    ------
    StudioError
        If there is no module.
    """
    module, pixels = module_in(made)
    if module is None:
        raise StudioError(
            f"{where} returned {_kind(made)}, not a torch.nn.Module; return the module, alone or "
            "first in a tuple."
        )
    if pixels is not None:
        module.pixels = pixels  # type: ignore[assignment]
    return module


def _kind(made: Any) -> str:
    """Return the class of what a function returned, and that of its parts, in words."""
    if isinstance(made, tuple | list) and made:
        return f"{type(made).__name__} of {', '.join(type(part).__name__ for part in made[:4])}"
    return "None" if made is None else type(made).__name__


def declared_pixels(module: nn.Module) -> PixelSpec | None:
    """Return the input that a module declares: a `PixelSpec` or a dictionary of its arguments.

    Models that were made with timm have its configuration, which says what their weights expect.
    """
    declared = getattr(module, "pixels", None)
    if isinstance(declared, PixelSpec):
        return declared
    if isinstance(declared, Mapping):
        return PixelSpec.of(declared)
    return _configured(getattr(module, "pretrained_cfg", None))


def _configured(config: object) -> PixelSpec | None:
    """Return the input in a model's configuration by timm; None if it says none."""
    if not isinstance(config, Mapping):
        return None
    try:
        channels, height, width = config["input_size"]
        mean, std = tuple(config["mean"]), tuple(config["std"])
        return PixelSpec(channels, height, width, mean, std, rest=0.5)
    except (KeyError, TypeError, ValueError, StudioError):
        return None


def unknown_input(name: str) -> UnknownInputError:
    """Return the error for a network whose input nothing describes."""
    return UnknownInputError(
        f"It is not known which images {name} takes; give --input-size, --mean and --std, or add "
        "a pixels attribute to the module."
    )


def initialise(module: nn.Module, name: str, pixels: PixelSpec | None) -> None:
    """Give a module's lazy layers their sizes, in place, by running it on one image.

    Raises
    ------
    StudioError
        If the module fails on that image, or its input is not known.
    """
    if not any(is_lazy(tensor) for tensor in chain(module.parameters(), module.buffers())):
        return
    if pixels is None:
        raise unknown_input(name)
    image = at_rest(pixels)
    try:
        with torch.no_grad():
            # In evaluation mode, so that batch norms do not count this image as a batch.
            module.eval()(image)
    except Exception as error:
        if is_lack_of_memory(error):
            raise
        raise StudioError(
            f"{name} has lazy layers and fails on an image of {' x '.join(map(str, pixels.shape))} "
            f"({in_short(error)}); {what_to_do(module, image, place_in_code(error))}."
        ) from None


def at_rest(pixels: PixelSpec) -> Tensor:
    """Return the network's input for one image of the rest colour, (1, C, H, W)."""
    mean, std = (torch.tensor(v).reshape(1, -1, 1, 1) for v in (pixels.mean, pixels.std))
    return (torch.full((1, *pixels.shape), pixels.rest) - mean) / std


def in_float32(module: nn.Module, pixels: PixelSpec | None) -> tuple[str, ...]:
    """Convert a module's weights to float32, the sampler's precision, in place.

    They keep their types if the module runs with these, but not with float32, or gives other
    values.

    Returns
    -------
    A note about their previous types; none if all of them were float32.
    """
    kinds = {p.dtype for p in module.parameters() if p.is_floating_point()} - {torch.float32}
    if not kinds:
        return ()
    were = " and ".join(sorted(str(kind).removeprefix("torch.") for kind in kinds))
    weights = [(weight, weight.data) for weight in module.parameters()]
    buffers = [(part._buffers, dict(part._buffers)) for part in module.modules()]
    before = _trial(module, pixels, *kinds)
    module.float()
    after = None if before is None else _trial(module, pixels)
    least = max(torch.finfo(kind).eps for kind in (*kinds, torch.float32))
    # A hundred roundings of the coarsest type.
    if before is None or (after is not None and departure(before, after) <= 100 * least):
        return (f"Its weights were {were} and are used as float32.",)
    for weight, data in weights:
        weight.data = data
    for table, former in buffers:
        table.update(former)
    return (f"Its weights stay {were}, because its code does not run the same in float32.",)


def _trial(
    module: nn.Module, pixels: PixelSpec | None, *kinds: torch.dtype
) -> dict[str, Tensor] | None:
    """Return what a module in evaluation mode gives for noise; None if it fails."""
    if pixels is None:
        return None
    noise = at_rest(pixels)
    noise = noise + torch.randn(noise.shape, generator=torch.Generator().manual_seed(0))
    mode, kept = module.training, Kept(module)
    try:
        for kind in (torch.float32, *kinds):
            try:
                with seeded(0):
                    return see(module.eval(), noise.to(kind)).of_image(0)
            except Exception as error:
                if is_lack_of_memory(error):
                    raise
        return None
    finally:
        kept.restore()
        module.train(mode)


def check_batches(network: Network) -> None:
    """Check that a network takes a batch of two images, since the sampler runs several chains.

    Raises
    ------
    StudioError
        If the network takes only one image at a time.
    """
    last = network.class_layer
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
            f"{network.name} takes only one image at a time ({found}); its forward pass must take "
            "several at once, (n, channels, height, width), and return (n, ...)."
        )
