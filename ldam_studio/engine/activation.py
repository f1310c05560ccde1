"""What a lane's networks say of its chains' pixels, and the gradients, in the views of a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.state import Lane
from ldam_studio.networks.anatomy.units import Units
from ldam_studio.networks.network import Network
from ldam_studio.sampler.objective import ValueAndGradient, mean_of, value_and_gradient
from ldam_studio.sampler.resize import resized
from ldam_studio.sampler.views import View, seen_in


def activation_of(
    lane: Lane,
    device: Device,
    views: Sequence[View] = (View(),),
    between: Callable[[], None] = lambda: None,
) -> ValueAndGradient:
    """Return the lane's activation and its gradient as a function of its chains' pixels.

    It is the mean over `views` of the images. `between` is called between forward and backward
    pass, see `value_and_gradient`.

    If the neurons see only a crop of the image, only that crop is evaluated; the gradient is 0
    elsewhere.
    """
    return mean_of([_activation_in(view, lane, device, between) for view in views])


def _activation_in(
    view: View, lane: Lane, device: Device, between: Callable[[], None]
) -> ValueAndGradient:
    targets = lane.targets
    network, units = evaluated_in(view, lane)

    def activation(x: Tensor) -> Tensor:
        return network.activation(x, units, device.plan).float()

    if view != View():
        box = None if targets.crop is None else targets.crop.box
        rest = lane.network.pixels.rest
        shown = seen_in(view, targets.fields, lane.chains.x, rest, box, device.arithmetic)
        return value_and_gradient(lambda x: activation(shown(x)), between)
    seen = value_and_gradient(activation, between)
    if targets.crop is None:
        return seen
    crop = targets.crop

    def on_the_whole(x: Tensor) -> tuple[Tensor, Tensor]:
        value, part = seen(crop.cut(x))
        gradient = torch.zeros_like(x)
        crop.cut(gradient).copy_(part)
        return value, gradient

    return on_the_whole


def evaluated_in(view: View, lane: Lane) -> tuple[Network, Units]:
    """Return the network for the images of a view, and the neurons' units in it."""
    if view.size is None:
        return lane.sized, lane.targets.units
    network = lane.network.at_side(min(view.size)) or lane.sized
    return network, lane.targets.sizes[view.size]


def log_real_of(
    discriminator: Callable[[Tensor], Tensor] | None, lane: Lane, device: Device
) -> ValueAndGradient | None:
    """Return log D and its gradient as a function of pixels; None without a discriminator.

    It judges images of the size that the network was opened for, for which it was chosen.
    """
    if discriminator is None:
        return None
    judge, pixels = discriminator, lane.network.pixels

    def log_real(x: Tensor) -> Tensor:
        x = resized(x, (pixels.height, pixels.width))
        with device.autocast():
            return torch.nn.functional.logsigmoid(judge(x).float())

    return value_and_gradient(log_real)
