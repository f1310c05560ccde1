"""The filter of a first-layer neuron, computed from its weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron

_TRANSPARENT = (
    *(nn.Flatten, nn.Unflatten, nn.Identity, nn.Dropout, nn.Dropout2d),
    *(nn.ZeroPad2d, nn.ConstantPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.CircularPad2d),
)
"""Modules that leave the pixels inside the image as they are."""


def first_layer_filter(network: Network, neuron: Neuron) -> Tensor | None:
    """Return the gradient of a first-layer neuron with respect to pixels, inside its field.

    The network sees (pixel - mean) / std, so this is the neuron's filter divided by std, channel by
    channel. It does not depend on the image: before the activation function the neuron is linear,
    and the average of its L2-regularised chains is rest + filter / std, up to a factor.

    Returns
    -------
    Tensor or None
        (C, h, w) on the host. h x w is the size of the kernel (with zeros in the gaps of a dilated
        one), or of the whole image for a fully connected layer. The sign is reversed for a neuron
        that is to be made small. None if the neuron is not in the first layer, is not a single
        unit, or the layer is neither fully connected nor a convolution over all channels, or if
        something else happens to the pixels before it.
    """
    module = _first_module(network)
    if module is None or neuron.layer != module[0] or isinstance(neuron.place, str):
        return None
    if not network.remembered(("first", neuron.layer), lambda: _is_first(network, *module)):
        return None
    return _filter_of(network, module[1], neuron)


def _filter_of(network: Network, layer: nn.Module, neuron: Neuron) -> Tensor | None:
    pixels = network.pixels
    std = torch.tensor(pixels.std).reshape(-1, 1, 1)
    if isinstance(layer, nn.Conv2d):
        if layer.groups != 1 or layer.in_channels != pixels.channels:
            return None
        weight = layer.weight[neuron.index].detach().cpu()
        rows, columns = layer.dilation
        height, width = (
            (n - 1) * d + 1 for n, d in zip(weight.shape[1:], (rows, columns), strict=True)
        )
        spread = torch.zeros(len(weight), height, width)
        spread[:, ::rows, ::columns] = weight
        return neuron.sign * spread / std
    if isinstance(layer, nn.Linear):
        if layer.in_features != pixels.channels * pixels.height * pixels.width:
            return None
        weight = layer.weight[neuron.index].detach().cpu()
        return neuron.sign * weight.reshape(pixels.shape) / std
    return None


def filter_cosine(network: Network, neuron: Neuron, average: Tensor) -> float | None:
    """Return the cosine between (average - rest) inside the field and the neuron's filter / std.

    Parameters
    ----------
    average
        (C, H, W), in pixel units; also of another size than the network's own, if it can take it.

    Returns
    -------
    float or None
        From -1 to 1. None if `first_layer_filter` is None, if the image's edge cuts off the field,
        or while the average is still the rest colour.
    """
    kernel = first_layer_filter(network, neuron)
    if kernel is None:
        return None
    sized = network.at_side(min(average.shape[1:])) or network
    (seen,) = sized.seen_from(network, (neuron,))
    part = inside(average, sized.receptive_field(seen.layer, seen.place)) - network.pixels.rest
    if part.shape != kernel.shape or not part.any() or not kernel.any():
        return None
    return float(nn.functional.cosine_similarity(part.flatten(), kernel.flatten(), dim=0))


def inside(image: Tensor, field: tuple[int, int, int, int] | None) -> Tensor:
    """Cut (C, H, W) to a field (top, left, bottom, right); None stands for the whole image."""
    if field is None:
        return image
    top, left, bottom, right = field
    return image[:, top:bottom, left:right]


def _first_module(network: Network) -> tuple[str, nn.Module] | None:
    modules = dict(network.module.named_modules())
    for layer in network.layers:
        module = modules.get(layer.name)
        if not isinstance(module, _TRANSPARENT):
            return None if module is None else (layer.name, module)
    return None


def _is_first(network: Network, name: str, module: nn.Module) -> bool:
    """Return whether the gradient of a layer's first neuron is its filter."""
    neuron = Neuron(name, 0)
    kernel = _filter_of(network, module, neuron)
    if kernel is None:
        return False
    x = torch.rand((1, *network.pixels.shape), generator=torch.Generator().manual_seed(0))
    x = x.to(network.device).requires_grad_(True)
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(network.activation(x, network.units([neuron])).sum(), x)
    found = inside(gradient[0].cpu(), network.receptive_field(name))
    if found.shape != kernel.shape:  # the image's edge cuts it off
        return True
    return bool((found - kernel).abs().max() <= 1e-3 * kernel.abs().max())
