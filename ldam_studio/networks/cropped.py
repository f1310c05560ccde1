"""A network reduced to the pixels that the centre units of one layer see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from ldam_studio.networks.anatomy.crops import Crop
from ldam_studio.networks.anatomy.layers import OUTPUT, output_at
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.networks.provenance import Provenance


class _Only(nn.Module):
    """A function as a module without inner layers."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        # In a tuple, so that torch does not register the module's layers a second time.
        self._function = (function,)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return a layer's output for normalised images ``(n, C, H, W)``."""
        return self._function[0](inputs)


@dataclass(frozen=True)
class Part:
    """A network that takes only the `crop` of the image that a layer's centre units need."""

    network: Network
    crop: Crop

    def neuron(self, index: int) -> Neuron:
        """Return the address, in the part, of the layer's unit number `index`."""
        return Neuron(OUTPUT, index, self.crop.place)

    def on_the_whole(self, x: Tensor, shape: tuple[int, int, int]) -> Tensor:
        """Put the part's images (n, C, h, w) into images of `shape` that are at rest elsewhere."""
        whole = x.new_full((len(x), *shape), self.network.pixels.rest)
        self.crop.cut(whole).copy_(x)
        return whole


def part_for(network: Network, layer: str) -> Part | None:
    """Reduce a network to what a layer's centre units see; None if they need the whole image.

    Inside the receptive field, chains on the part have the same distribution as on the whole image:
    activation and gradient agree (see `fields.find_crop`), and each pixel has its own noise. Their
    cost, including noise and averages, shrinks with the crop. The part is made once, on the
    network's device, and does not follow it to another.
    """
    return network.remembered(("part", layer), lambda: _find_part(network, layer))


def _find_part(network: Network, layer: str) -> Part | None:
    run: Callable[[Tensor], Tensor] = partial(output_at, network.module, network.layer(layer))
    crop = network.crop(layer)
    if crop is None:
        alone = _alone(network, layer)
        if alone is None:
            return None
        run, crop = alone
    top, left, bottom, right = crop.box
    pixels = replace(network.pixels, height=bottom - top, width=right - left)
    return Part(
        Network(network.name, _Only(run), pixels, provenance=Provenance(network.sha256)), crop
    )


def _alone(network: Network, layer: str) -> tuple[nn.Conv2d, Crop] | None:
    """Return a first convolution with its crop, for a network that takes images of one size only.

    The convolution is known to be the first layer if, for noise, its output is the same by itself
    as within the network.
    """
    module = dict(network.module.named_modules()).get(layer)
    if not isinstance(module, nn.Conv2d) or module.in_channels != network.pixels.channels:
        return None
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand((1, *network.pixels.shape), generator=generator).to(network.device)
    with torch.no_grad():
        if not torch.equal(module(network.normalise(noise)), network.output(noise, layer)):
            return None
    crop = Network(network.name, _Only(module), network.pixels).to(network.device).crop(OUTPUT)
    return None if crop is None else (module, crop)
