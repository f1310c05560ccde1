"""Receptive fields: the pixels that units see."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.layers import Layer
from ldam_studio.networks.anatomy.leaky import LeakyRectifiers
from ldam_studio.networks.anatomy.objectives import Place
from ldam_studio.networks.anatomy.units import Units, units_of
from ldam_studio.networks.forward import Forward
from ldam_studio.networks.neurons import Neuron

Box = tuple[int, int, int, int]
"""(top, left, bottom, right) in pixels; bottom and right are exclusive."""

PROBES = 64  # noise images over which gradients are combined
PROBED_VALUES = PROBES * 28 * 28  # limits the number of probes for large images
SCALES = (0.05, 10.0)  # of further noise
SHIFTS = (0.0, 10.0, -10.0)  # added to pixels outside of a field, which must not matter
SAME = 1e-6  # relative difference of two values that count as equal


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
    of several noise images of different scales are combined, each with its own random weights over
    the channels, and with leaky rectifiers. The field is the whole image if any change outside of
    what was found changes a value.
    """
    pixels = network.pixels
    if not layer.places or isinstance(place, str):
        return None
    probes = max(4, min(PROBES, PROBED_VALUES // (pixels.height * pixels.width)))
    generator = torch.Generator().manual_seed(0)
    every = [Neuron(layer.name, i, place) for i in range(layer.neurons)]
    units = units_of(layer, every, network.device)

    def noise(count: int, scale: float) -> Tensor:
        x = scale * torch.randn((count, *pixels.shape), generator=generator)
        return (pixels.rest + x).to(network.device)

    touched = _touched(network, units, noise(probes, 1.0), generator)
    for scale in SCALES:
        touched |= _touched(network, units, noise(max(4, probes // 4), scale), generator)
    with LeakyRectifiers(values=True):
        touched |= _touched(network, units, noise(max(4, probes // 4), 1.0), generator)
    rows, columns = touched.any(dim=1).nonzero(), touched.any(dim=0).nonzero()
    if len(rows) == 0:
        return None
    box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    if box == (0, 0, pixels.height, pixels.width):
        return None
    for scale in (1.0, *SCALES):
        x = noise(1, scale)
        if not _is_enough(network, units, box, x, [x.roll(1, 3) + shift for shift in SHIFTS]):
            return None
    return box


def _touched(network: Forward, units: Units, images: Tensor, generator: torch.Generator) -> Tensor:
    """Return the pixels (H, W) on which any of the units depends in any of the images."""
    leaf = images.requires_grad_(True)
    with torch.enable_grad():
        values = units.read_all(network.output(leaf, units.layer.name))
        weights = torch.randn(values.shape, generator=generator).to(network.device)
        (gradient,) = torch.autograd.grad((values * weights).sum(), leaf)
    return (gradient != 0).any(dim=0).any(dim=0)


@torch.no_grad()
def _is_enough(
    network: Forward, units: Units, box: Box, x: Tensor, others: Sequence[Tensor]
) -> bool:
    """Return whether units have the same values on x with the pixels of others outside a box."""
    top, left, bottom, right = box
    expected = units.read_all(network.output(x, units.layer.name))
    for other in others:
        other[:, :, top:bottom, left:right] = x[:, :, top:bottom, left:right]
        found = units.read_all(network.output(other, units.layer.name))
        if (found - expected).abs().max() > SAME * expected.abs().max():
            return False
    return True
