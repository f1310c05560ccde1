"""Finding which dimension of a layer's output counts the images, by looking with two of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ldam_studio.networks.anatomy.layers import PassHook, after
from ldam_studio.networks.anatomy.results import entries_of

Spot = tuple[str, int, str]
"""A tensor of a forward pass: the module's name, the number of its call, and `Layer.part`."""

MOST_CALLS = 100
"""How many calls of one module are looked at."""


@dataclass(frozen=True)
class Counted:
    """How an output counts the images; see `Layer`."""

    batch: int = 0
    squeezed: bool = False
    alone: bool = False


def parts_by_layer(output: Any) -> list[tuple[str, Tensor]]:
    """Return `parts_of` with the place that a layer has.

    That of the first is "", the module's own, unless it has a name in what the module returns.
    """
    return [
        (entry.place if number or entry.named else "", entry.tensor)
        for number, entry in enumerate(entries_of(output))
    ]


Shapes = dict[Spot, tuple[int, ...]]


@contextmanager
def noting_shapes(module: nn.Module) -> Iterator[Shapes]:
    """Collect the shapes of all outputs of a forward pass."""
    shapes: Shapes = {}
    calls: dict[str, int] = {}

    def hook(path: str) -> PassHook:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            # What calls itself returns its own output last.
            call = calls[path] = calls.get(path, 0) + 1 if path else 1
            if call <= MOST_CALLS:
                for part, tensor in parts_by_layer(output):
                    shapes[path, call, part] = tuple(tensor.shape)

        return PassHook(note)

    handles = [after(part, hook(path)) for path, part in module.named_modules()]
    try:
        yield shapes
    finally:
        for handle in handles:
            handle.remove()


def shapes_for_more(module: nn.Module, images: Tensor) -> Shapes | None:
    """Return the shapes of all outputs for one image more; None if the network cannot take it.

    `images` are normalised, (n, C, H, W).
    """
    try:
        with noting_shapes(module) as shapes, torch.no_grad():
            module(torch.cat([images, images[:1]]).detach())
    except Exception:
        return None
    return shapes


def counted(
    spot: Spot, few: tuple[int, ...], more: Mapping[Spot, tuple[int, ...]] | None, images: int = 1
) -> Counted | None:
    """Return how an output counts the images; None if it does not.

    Parameters
    ----------
    few
        Its shape for a number of `images`.
    more
        The shapes for one image more, see `shapes_for_more`. Without them, or if this output is
        another one there, its first dimension is taken to count the images if it fits, and the
        network to be one for one image at a time.
    """
    both = None if more is None else more.get(spot)
    if both is not None:
        for dim, size in enumerate(both):
            if size == images + 1 and few == (*both[:dim], images, *both[dim + 1 :]):
                return Counted(dim)
        for dim, size in enumerate(both):
            if images == 1 and size == 2 and few == (*both[:dim], *both[dim + 1 :]):
                return Counted(dim, squeezed=True)
    return Counted(alone=True) if len(few) > 1 and few[0] == images else None
