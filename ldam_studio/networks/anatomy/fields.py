"""Receptive fields, and crops: the part of the image that is enough to compute a unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.class_values import ClassValue
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.anatomy.objectives import Place
from ldam_studio.networks.anatomy.units import Units, resolved, units_of
from ldam_studio.networks.forward import Forward
from ldam_studio.networks.neurons import Neuron

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels; bottom and right are exclusive."""

PROBES = 64  # noise images over which gradients are combined
PROBED_VALUES = PROBES * 28 * 28  # limits the number of probes for large images
WORTHWHILE = 0.7  # larger crops, as a share of the image, save too little
TOLERANCE = 1e-5
MARGINS = (0, 1, 2)  # strides around the field; a measured field may be incomplete
LOUD = 10.0  # factor on pixels outside a crop, so that any influence they have shows


@dataclass(frozen=True)
class Crop:
    """A part of the image on which a unit has the same value and gradient as on the whole image.

    `box` is the part. `layer` describes the layer's output on that part, and `place` is the unit's
    place in it.
    """

    box: Box
    layer: Layer
    place: tuple[int, int]

    def cut(self, x: Tensor) -> Tensor:
        """Return the crop's part of x (n, C, H, W)."""
        top, left, bottom, right = self.box
        return x[:, :, top:bottom, left:right]

    def units(
        self,
        neurons: tuple[Neuron, ...],
        device: torch.device,
        class_value: ClassValue | None = None,
    ) -> Units:
        """Return the units of neurons that share the crop's place."""
        moved = [replace(neuron, place=self.place) for neuron in neurons]
        return units_of(self.layer, moved, device, class_value)


def receptive_field(network: Forward, layer: Layer, place: Place) -> Box | None:
    """Return the rectangle of pixels that a layer's units at a place see; None for the whole image.

    It follows from the forward pass that listed the layers. If an operation has no rule in `rules`,
    the field is measured instead.
    """
    if not layer.places or not isinstance(place, tuple):
        return None
    seen = network.listing.footprints[layer.name]
    if seen is None:
        return measured_field(network, layer, place)
    for size, at in zip(seen.shape[1:], place, strict=True):
        seen = seen[:, 0 if size == 1 else at]
    top, left, bottom, right = seen.tolist()
    box = (top, left, -bottom, -right)
    pixels = network.pixels
    # A unit that sees only padding has no field; it is treated like the whole image.
    return None if bottom >= 0 or box == (0, 0, pixels.height, pixels.width) else box


def measured_field(network: Forward, layer: Layer, place: Place) -> Box | None:
    """Return a receptive field, measured as the pixels on which the gradient is not zero.

    For one image, pooling and rectifiers pass only a part of the gradient. Therefore the gradients
    of several noise images are combined, each with its own random weights over the channels.
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
    """Return a crop for the units at `place`; None if the whole image is needed.

    A crop is aligned to the layer's stride. It is returned only if, for noise, activation and
    gradient on the crop and on the whole image agree to `TOLERANCE`. They differ with global
    pooling, attention or unusual padding.
    """
    where = resolved(layer, place)
    if field is None or len(layer.places) != 2 or not isinstance(where, tuple):
        return None
    at = where[0], where[1]
    strides = _strides(network, layer, at)
    for stride, margin in [(stride, margin) for margin in MARGINS for stride in strides]:
        box, inner = _aligned(network, at, field, stride, margin)
        if _area(box) > WORTHWHILE * _area((0, 0, *network.pixels.shape[1:])):
            return None  # larger margins make it larger still
        crop = _tried(network, layer, where, box, inner)
        if crop is not None:
            return crop
    return None


def _strides(network: Forward, layer: Layer, place: tuple[int, int]) -> list[int]:
    """Return the possible strides of a layer, in pixels.

    The stride is how far the field moves from place to place. If that is unknown, the candidates
    are the ratio of the image's height to the layer's, and the nearest power of 2.
    """
    seen = network.listing.footprints[layer.name]
    if seen is not None and seen.shape[1] > 1:
        tops = seen[0, :, 0 if seen.shape[2] == 1 else place[1]]
        moves = tops.diff()
        moves = moves[moves > 0]  # at the edge the field is cut off and does not move
        if len(moves):
            return [int(moves.mode().values)]
    ratio = network.pixels.height / layer.places[0]
    power: int = 2 ** max(0, round(torch.tensor(ratio).log2().item()))
    return list(dict.fromkeys([max(1, round(ratio)), power]))


def _aligned(
    network: Forward, place: tuple[int, int], field: Box, stride: int, margin: int
) -> tuple[Box, tuple[int, int]]:
    """Return the part around a field, aligned to the stride, and the unit's place in it."""
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
    """Return the crop if its units agree with those of a whole noise image, else None.

    All channels are compared, and the gradient of their randomly weighted sum. Pixels outside the
    crop are enlarged: through max pooling, a pixel has no influence while its neighbours are
    larger.
    """
    generator = torch.Generator().manual_seed(1)
    x = torch.rand((1, *network.pixels.shape), generator=generator).to(network.device)
    part = Crop(box, layer, inner).cut(x).clone().requires_grad_(True)
    try:
        with torch.enable_grad():
            output = network.output(part, layer.name)
    except Exception:
        # A network may raise any error for images of another size; then no crop is used.
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
        output = network.output(x, layer.name)
    values, gradient = read(units_of(layer, every, network.device), output, x)
    return crop if _close(values, cropped) and _close(gradient, spread) else None


def _close(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= TOLERANCE * one.abs().max().clamp_min(1e-12))
