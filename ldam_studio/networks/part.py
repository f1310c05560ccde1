"""A network cut down to the pixels that one layer's units see."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from ldam_studio.networks.fields import Crop
from ldam_studio.networks.layers import OUTPUT, output_at
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron


class _UpTo(nn.Module):
    """The forward pass of a module that stops at a layer, which is all that it has."""

    def __init__(self, whole: nn.Module, layer: str) -> None:
        super().__init__()
        # In a tuple, so that the layers of the whole are not found a second time.
        self._whole = (whole,)
        self._layer = layer

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the layer's output for normalised images ``(n, C, H, W)``."""
        return output_at(self._whole[0], self._layer, inputs)


@dataclass(frozen=True)
class Part:
    """A network that takes only the `crop` of the image which a layer's centre units need."""

    network: Network
    crop: Crop

    def neuron(self, index: int) -> Neuron:
        """Return the part's own address of the layer's unit number `index`."""
        return Neuron(OUTPUT, index, self.crop.place)

    def on_the_whole(self, x: Tensor, shape: tuple[int, int, int]) -> Tensor:
        """Lay the part's images (n, C, h, w) into images of `shape` that are at rest elsewhere."""
        whole = x.new_full((len(x), *shape), self.network.pixels.rest)
        self.crop.cut(whole).copy_(x)
        return whole


def part_for(network: Network, layer: str) -> Part | None:
    """Cut a network down to what a layer's centre units see; None if they have to see it all.

    Inside the receptive field, chains on the part have the law that they have on the whole image:
    activation and gradient agree (see `fields.find_crop`), and each pixel has noise of its own.
    They cost as much less as the crop is smaller, their noise and averages included. The part is on
    the device that the network is on, and does not follow it to another.
    """
    crop = network.crop(layer)
    if crop is None:
        return None
    top, left, bottom, right = crop.box
    pixels = replace(network.pixels, height=bottom - top, width=right - left)
    part = Network(network.name, _UpTo(network.module, layer), pixels, sha256=network.sha256)
    return Part(part, crop)
