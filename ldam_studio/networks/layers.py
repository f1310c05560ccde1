"""Layers of a network: which there are, running up to one of them, and what a unit of it sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from torch import Tensor, nn

from ldam_studio.errors import StudioError

if TYPE_CHECKING:
    from ldam_studio.networks.network import Network

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels; bottom and right are exclusive."""

PROBES = 64  # images whose gradients' footprints are united


@dataclass(frozen=True)
class Layer:
    """A module whose output can be looked at.

    `shape` is that of its output for one image: (channels, height, width) or (features,);
    `neurons` the number of channels or features.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    neurons: int


class _Reached(Exception):
    # No error: it carries the output out of the forward pass.
    def __init__(self, output: Tensor) -> None:
        self.output = output


def output_at(module: nn.Module, layer: str, inputs: Tensor) -> Tensor:
    """Run `module` on `inputs` up to the sub-module `layer` and return its output.

    The hook that stops the forward pass lives for this call only, whatever happens in it.
    """

    def stop(_module: nn.Module, _inputs: Any, output: Tensor) -> NoReturn:
        raise _Reached(output)

    handle = module.get_submodule(layer).register_forward_hook(stop)
    try:
        module(inputs)
    except _Reached as reached:
        return reached.output
    finally:
        handle.remove()
    raise StudioError(f"The forward pass of this network never reaches its layer {layer!r}.")


def list_layers(network: Network) -> tuple[Layer, ...]:
    """Return the layers of a network in the order in which its forward pass reaches them."""
    found: dict[str, Layer] = {}

    def note(name: str) -> Any:
        def hook(module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim in (2, 4):
                shape = tuple(output.shape[1:])
                found.setdefault(name, Layer(name, type(module).__name__, shape, shape[0]))

        return hook

    handles = [
        module.register_forward_hook(note(name))
        for name, module in network.module.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            network.module(network.normalise(torch.zeros(1, *network.pixels.shape)))
    finally:
        for handle in handles:
            handle.remove()
    return tuple(found.values())


def receptive_field(network: Network, layer: str) -> Box | None:
    """Return the rectangle of pixels that the centre unit of a layer sees; None for all of them.

    Found from the gradient's footprint: the union over `PROBES` noise images, each with its own
    random weights over the channels, because pooling and rectifiers pass only part of it at a time.
    """
    pixels = network.pixels
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((PROBES, *pixels.shape), generator=generator)
    leaf = (pixels.rest + x).to(network.device).requires_grad_(True)
    with torch.enable_grad():
        outputs = network.activations(leaf, layer)
        weights = torch.randn(outputs.shape, generator=generator).to(network.device)
        (gradient,) = torch.autograd.grad((outputs * weights).sum(), leaf)
    touched = (gradient != 0).any(dim=0).any(dim=0)
    rows, columns = touched.any(dim=1).nonzero(), touched.any(dim=0).nonzero()
    if len(rows) == 0:
        return None
    box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return None if box == (0, 0, pixels.height, pixels.width) else box
