"""What a unit sees: its receptive field, and running only the part of the image that it sees."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.layers import Layer, output_at
from ldam_studio.networks.anatomy.objectives import Place
from ldam_studio.networks.anatomy.units import Units, resolved, units_of
from ldam_studio.networks.forward import Forward
from ldam_studio.networks.neurons import Neuron

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels; bottom and right are exclusive."""

PROBES = 64  # images whose gradients' footprints are united
PROBED_VALUES = PROBES * 28 * 28  # of large images fewer will do: their fields have more units
WORTHWHILE = 0.7  # a crop of more than this share of the image saves too little
TOLERANCE = 1e-5
MARGINS = (0, 1, 2)  # strides around the footprint, which pooling may have left incomplete
LOUD = 10.0  # times what is outside a crop is enlarged, to be heard if it is seen at all


@dataclass(frozen=True)
class Crop:
    """A part of the image on which a unit has the value and gradient that it has on the whole.

    `box` is the part, `layer` the layer as it is there, `place` the unit's place in it.
    """

    box: Box
    layer: Layer
    place: tuple[int, int]

    def cut(self, x: Tensor) -> Tensor:
        """Return the part of x (n, C, H, W)."""
        top, left, bottom, right = self.box
        return x[:, :, top:bottom, left:right]

    def units(self, neurons: tuple[Neuron, ...], device: torch.device) -> Units:
        """Return the units of neurons that share the crop's place."""
        moved = [replace(neuron, place=self.place) for neuron in neurons]
        return units_of(self.layer, moved, device)


def receptive_field(network: Forward, layer: Layer, place: Place) -> Box | None:
    """Return the rectangle of pixels that a layer's units at a place see; None for all of them.

    Read off what the forward pass told when the network was opened; measured where that told
    nothing, as with an operation that `footprints` has no rule for.
    """
    if not layer.places or not isinstance(place, tuple):
        return None
    seen = network.walked.footprints[layer.name]
    if seen is None:
        return measured_field(network, layer, place)
    for size, at in zip(seen.shape[1:], place, strict=True):
        seen = seen[:, 0 if size == 1 else at]
    top, left, bottom, right = seen.tolist()
    box = (top, left, -bottom, -right)
    pixels = network.pixels
    # What sees nothing but padding has no field to be cut out.
    return None if bottom >= 0 or box == (0, 0, pixels.height, pixels.width) else box


def measured_field(network: Forward, layer: Layer, place: Place) -> Box | None:
    """Return a receptive field as `receptive_field` does, from the gradient's footprint.

    That is the union over some noise images, each with its own random weights over the channels,
    because pooling and rectifiers pass only a part at a time. It takes a gradient of the network.
    """
    pixels = network.pixels
    if not layer.places or isinstance(place, str):
        return None
    probes = max(4, min(PROBES, PROBED_VALUES // (pixels.height * pixels.width)))
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((probes, *pixels.shape), generator=generator)
    leaf = (pixels.rest + x).to(network.device).requires_grad_(True)
    every = [Neuron(layer.name, i, place) for i in range(layer.neurons)]
    with torch.enable_grad():
        output = network.output(leaf, layer.name)
        values = units_of(layer, every, network.device).read_all(output)
        weights = torch.randn(values.shape, generator=generator).to(network.device)
        (gradient,) = torch.autograd.grad((values * weights).sum(), leaf)
    touched = (gradient != 0).any(dim=0).any(dim=0)
    rows, columns = touched.any(dim=1).nonzero(), touched.any(dim=0).nonzero()
    if len(rows) == 0:
        return None
    box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return None if box == (0, 0, pixels.height, pixels.width) else box


def find_crop(network: Forward, layer: Layer, place: Place, field: Box | None) -> Crop | None:
    """Return a crop on which the units at `place` are what they are on the whole image, or None.

    A crop is aligned to the layer's stride. It is only returned if activation and gradient of the
    crop and of the whole image agree to `TOLERANCE` on noise: global pooling, attention and odd
    paddings make them differ, and then the whole image is run.
    """
    where = resolved(layer, place)
    if field is None or len(layer.places) != 2 or not isinstance(where, tuple):
        return None
    at = where[0], where[1]
    strides = _strides(network, layer, at)
    for stride, margin in [(stride, margin) for margin in MARGINS for stride in strides]:
        box, inner = _aligned(network, at, field, stride, margin)
        if _area(box) > WORTHWHILE * _area((0, 0, *network.pixels.shape[1:])):
            return None  # and with a larger margin it is larger still
        crop = _tried(network, layer, where, box, inner)
        if crop is not None:
            return crop
    return None


def _strides(network: Forward, layer: Layer, place: tuple[int, int]) -> list[int]:
    """Return what the layer's stride may be.

    That is how far the field moves from place to place; where that is not known, what the layer's
    size makes likely: as is, and as a power of 2.
    """
    seen = network.walked.footprints[layer.name]
    if seen is not None and seen.shape[1] > 1:
        tops = seen[0, :, 0 if seen.shape[2] == 1 else place[1]]
        moves = tops.diff()
        moves = moves[moves > 0]  # at the edge the field is cut off and stands still
        if len(moves):
            return [int(moves.mode().values)]
    ratio = network.pixels.height / layer.places[0]
    power: int = 2 ** max(0, round(torch.tensor(ratio).log2().item()))
    return list(dict.fromkeys([max(1, round(ratio)), power]))


def _aligned(
    network: Forward, place: tuple[int, int], field: Box, stride: int, margin: int
) -> tuple[Box, tuple[int, int]]:
    """Return the part around a field, aligned to the stride, and a place in it."""
    top, left = (max(0, (edge // stride - margin) * stride) for edge in field[:2])
    bottom, right = (
        min(size, (-(-edge // stride) + margin) * stride)
        for edge, size in zip(field[2:], network.pixels.shape[1:], strict=True)
    )
    return (top, left, bottom, right), (place[0] - top // stride, place[1] - left // stride)


def _area(box: Box) -> int:
    top, left, bottom, right = box
    return (bottom - top) * (right - left)


def _tried(
    network: Forward, layer: Layer, place: Place, box: Box, inner: tuple[int, int]
) -> Crop | None:
    """Return a crop on which the units are what they are on the whole of a noise image, or None.

    All channels are compared, and the gradient of their randomly weighted sum. Everything outside
    the crop is loud: through max pooling, a pixel that is seen may go unnoticed as long as its
    neighbours are larger.
    """
    generator = torch.Generator().manual_seed(1)
    x = torch.rand((1, *network.pixels.shape), generator=generator).to(network.device)
    part = Crop(box, layer, inner).cut(x).clone().requires_grad_(True)
    try:
        with torch.enable_grad():
            output = output_at(network.module, layer.name, network.normalise(part))
    except Exception:
        # A network may refuse images of another size in its own way; then it sees whole ones.
        return None
    crop = Crop(box, replace(layer, shape=tuple(output.shape[1:])), inner)
    sizes = crop.layer.places
    if len(sizes) != 2 or output.shape[1 + layer.axis] != layer.neurons:
        return None
    if not all(0 <= at < size for at, size in zip(inner, sizes, strict=True)):
        return None
    every = tuple(Neuron(layer.name, i, place) for i in range(layer.neurons))
    weights = torch.randn(layer.neurons, generator=generator).to(network.device)

    def read(units: Units, output: Tensor, leaf: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            values = units.read_all(output)
            (gradient,) = torch.autograd.grad((values * weights).sum(), leaf)
        return values, gradient

    cropped, gradient = read(crop.units(every, network.device), output, part)
    spread = torch.zeros_like(x)
    crop.cut(spread).copy_(gradient)
    x *= LOUD
    crop.cut(x).copy_(part.detach())
    x.requires_grad_(True)
    with torch.enable_grad():
        output = output_at(network.module, layer.name, network.normalise(x))
    values, gradient = read(units_of(layer, every, network.device), output, x)
    return crop if _close(values, cropped) and _close(gradient, spread) else None


def _close(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= TOLERANCE * one.abs().max().clamp_min(1e-12))
