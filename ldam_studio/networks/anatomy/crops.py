"""Crops: the part of the image that is enough to compute a unit, and how it is known to be enough.

A crop is compared with the whole image, in value and in gradient. Where both see nothing but zeros,
nothing has been compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from enum import Enum

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.class_values import ClassValue
from ldam_studio.networks.anatomy.fields import Box
from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.anatomy.leaky import LeakyRectifiers
from ldam_studio.networks.anatomy.objectives import Place
from ldam_studio.networks.anatomy.units import Units, resolved, units_of
from ldam_studio.networks.forward import Forward
from ldam_studio.networks.neurons import Neuron

WORTHWHILE = 0.7  # larger crops, as a share of the image, save too little
TOLERANCE = 1e-5
MARGINS = (0, 1, 2)  # strides around the field; a measured field may be incomplete
LOUD = 10.0  # factor on pixels outside a crop, so that any influence they have shows
SMALL, LARGE, DARK = (0.02, 3.0), (10.0, 30.0), (1.0, -3.0)
"""The amplitude of noise around the rest colour, and what is added to the pixels outside a crop."""
ATTEMPTS = 3  # with other noise: near the kink of a rectifier two right gradients may differ

VALUES_AGREE, GRADIENTS_AGREE = 1e-3, 0.02
"""Relative differences that are accepted on a running chain, where rounding may be coarser."""


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


def find_crop(
    network: Forward, layer: Layer, place: Place, field: Box | None, *, former: bool = False
) -> Crop | None:
    """Return a crop for the units at `place`; None if the whole image is needed.

    A crop is aligned to the layer's stride. It is returned only if activation and gradient on the
    crop and on the whole image agree to `TOLERANCE` and are not zero, on images of several scales.
    They differ with global pooling, attention or unusual padding.

    With `former` it is found as in version 0.1.0, which compared them on one image of noise.
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
        crop = _tried(network, layer, at, box, inner, former=former)
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


# Before a chain runs: all channels, on noise


def _tried(
    network: Forward,
    layer: Layer,
    place: tuple[int, int],
    box: Box,
    inner: tuple[int, int],
    *,
    former: bool,
) -> Crop | None:
    """Return the crop if its units agree with those of whole images of noise, else None."""
    generator = torch.Generator().manual_seed(1)
    x = torch.rand((1, *network.pixels.shape), generator=generator).to(network.device)
    crop = _shaped(network, layer, Crop(box, layer, inner), x)
    if crop is None:
        return None
    compare = _Comparison(network, layer, place, crop, generator)
    around = x * LOUD
    first = compare.on(x, around)
    if former or not first.agree:
        return crop if first.agree else None
    # Leaky rectifiers are silent nowhere, so that all channels are compared.
    with LeakyRectifiers(values=True):
        found = [first, compare.on_noise(*LARGE)]
    found.append(compare.on_noise(*SMALL, gradient=False))
    if network.listing.footprints[layer.name] is None:  # the field is measured, and less certain
        found += [compare.on_noise(*LARGE), compare.on_noise(*DARK)]
    seen = any(one.value for one in found) and any(one.gradient for one in found)
    return crop if seen and all(one.agree for one in found) else None


def _shaped(network: Forward, layer: Layer, crop: Crop, x: Tensor) -> Crop | None:
    """Return the crop with the shape of the layer's output on it; None if the unit is not there."""
    try:
        with torch.no_grad():
            output = network.output(crop.cut(x), layer.name)
    except Exception:
        # A network may raise any error for images of another size; then no crop is used.
        return None
    crop = replace(crop, layer=replace(layer, shape=tuple(output.shape[1:])))
    sizes = crop.layer.places
    if len(sizes) != 2 or output.shape[1 + layer.axis] != layer.neurons:
        return None
    there = all(0 <= at < size for at, size in zip(crop.place, sizes, strict=True))
    return crop if there else None


@dataclass(frozen=True)
class _Compared:
    """Whether crop and image agree, and whether there was a value and a gradient to compare."""

    agree: bool
    value: bool
    gradient: bool


class _Comparison:
    """Compares all channels of a layer on a crop with those on the whole image.

    The gradient is that of the channels' randomly weighted sum. Pixels outside the crop are made
    larger or brighter: through max pooling, a pixel has no influence while its neighbours are
    larger, and a mean over the image may decide what is done.
    """

    def __init__(
        self,
        network: Forward,
        layer: Layer,
        place: tuple[int, int],
        crop: Crop,
        generator: torch.Generator,
    ) -> None:
        self._network, self._crop, self._generator = network, crop, generator
        every = tuple(Neuron(layer.name, i, place) for i in range(layer.neurons))
        self._whole_units = units_of(layer, every, network.device)
        self._crop_units = crop.units(every, network.device)
        self._layer = layer.name
        self._weights = self._drawn(layer.neurons)

    def _drawn(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._generator).to(self._network.device)

    def on(self, inside: Tensor, outside: Tensor, *, gradient: bool = True) -> _Compared:
        """Compare on an image (1, C, H, W) that is `inside` in the crop and `outside` around it."""
        part = self._crop.cut(inside).clone()
        whole = outside.clone()
        self._crop.cut(whole).copy_(part)
        if not gradient:
            values = self._values(part, self._crop_units)
            expected = self._values(whole, self._whole_units)
            return _Compared(_close(expected, values), bool(expected.any()), gradient=False)
        values, inner = self._read(part, self._crop_units)
        spread = torch.zeros_like(whole)
        self._crop.cut(spread).copy_(inner)
        expected, slope = self._read(whole, self._whole_units)
        agree = _close(expected, values) and _close(slope, spread)
        return _Compared(agree, bool(expected.any()), bool(slope.any()))

    def on_noise(self, amplitude: float, offset: float, *, gradient: bool = True) -> _Compared:
        """Compare on noise of an amplitude around the rest colour; `offset` is added outside."""
        shape, rest = self._network.pixels.shape, self._network.pixels.rest
        for _ in range(ATTEMPTS):
            inside = rest + amplitude * self._drawn(1, *shape)
            outside = rest + offset + amplitude * self._drawn(1, *shape)
            found = self.on(inside, outside, gradient=gradient)
            if found.agree:
                break
        return found

    @torch.no_grad()
    def _values(self, x: Tensor, units: Units) -> Tensor:
        return units.read_all(self._network.output(x, self._layer))

    def _read(self, x: Tensor, units: Units) -> tuple[Tensor, Tensor]:
        x.requires_grad_(True)
        with torch.enable_grad():
            values = units.read_all(self._network.output(x, self._layer))
            (gradient,) = torch.autograd.grad((values * self._weights).sum(), x)
        return values, gradient


def _close(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= TOLERANCE * one.abs().max().clamp_min(1e-12))


# While a chain runs: its own unit, on its own image


class Evidence(Enum):
    """What one image shows about a unit's receptive field and crop."""

    AGREES = "the field holds the gradient, and the crop has the same value and gradient"
    NOTHING = "there is neither a value nor a gradient"
    CROP_DIFFERS = "on the crop, value or gradient is another"
    SEES_MORE = "there is a gradient outside of the field"


def evidence(
    network: Forward,
    neuron: Neuron,
    field: Box | None,
    crop: Crop | None,
    class_value: ClassValue | None,
    x: Tensor,
) -> Evidence:
    """Compare a neuron on an image x (1, C, H, W) with its field and on its crop.

    A silent neuron is compared with leaky rectifiers.
    """
    for mode in _modes():
        with mode:
            value, gradient = _activation(network, network.units([neuron], class_value), x)
        if not (value.isfinite().all() and gradient.isfinite().all()):
            return Evidence.AGREES  # about such an image the session itself will complain
        if field is not None and _is_outside(gradient, field):
            return Evidence.SEES_MORE
        if crop is not None:
            units = crop.units((neuron,), network.device, class_value)
            with mode:
                part, slope = _activation(network, units, crop.cut(x))
            spread = torch.zeros_like(gradient)
            crop.cut(spread).copy_(slope)
            reach = gradient.norm() * _area(crop.box) ** 0.5
            if (value - part).abs() > VALUES_AGREE * torch.maximum(value.abs(), reach):
                return Evidence.CROP_DIFFERS
            if (gradient - spread).norm() > GRADIENTS_AGREE * gradient.norm():
                return Evidence.CROP_DIFFERS
        if value.any() and gradient.any():
            return Evidence.AGREES
    return Evidence.NOTHING


def _modes() -> Iterator[AbstractContextManager[object]]:
    yield nullcontext()
    yield LeakyRectifiers(values=True)


def _activation(network: Forward, units: Units, x: Tensor) -> tuple[Tensor, Tensor]:
    leaf = x.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        value = network.activation(leaf, units).float()
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return value.detach(), gradient


def _is_outside(gradient: Tensor, field: Box) -> bool:
    top, left, bottom, right = field
    outside = gradient.clone()
    outside[:, :, top:bottom, left:right] = 0
    return bool(outside.abs().max() > TOLERANCE * gradient.abs().max())
