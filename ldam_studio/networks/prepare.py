"""Preparing a network for the sampler: frozen, and with fast gradients with respect to pixels.

The sampler never needs gradients with respect to the weights. The optimisations change results only
by rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from ldam_studio.networks.copying import sharing
from ldam_studio.networks.plan import FLOAT32, TORCH, Plan

FEW_CHANNELS = 4
"""A convolution with at most this many input channels (grey, RGB, RGBA) is assumed to see
pixels."""


class Conv2d(nn.Conv2d):
    """A convolution over pixels; on the CPU it uses torch's own kernel instead of oneDNN's.

    With few input channels, oneDNN takes several times as long for the gradient with respect to the
    input as for the forward pass on many processors, torch's kernel only about as long.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        plain = input.is_cpu and input.ndim == 4 and input.dtype == torch.float32
        if not plain or torch.is_autocast_enabled("cpu"):
            result: Tensor = super()._conv_forward(input, weight, bias)
        else:
            result = torch.ops.aten.thnn_conv2d(
                input, weight, self.kernel_size, bias, self.stride, self.padding
            )
        return result


def freeze(module: nn.Module) -> None:
    """Put a module into evaluation mode, without gradients of its parameters, in place."""
    module.eval()
    for parameter in module.parameters():  # scripted modules have no method for that
        parameter.requires_grad_(False)


def prepare(
    module: nn.Module, memory_format: torch.memory_format = torch.channels_last
) -> nn.Module:
    """Freeze a module, put it into evaluation mode and its weights into a memory format, in place.

    Weights, names and outputs stay the same. Convolutions over pixels become `Conv2d`.
    """
    freeze(module)
    for tensor in chain(module.parameters(), module.buffers()):
        if tensor.ndim == 4:
            tensor.data = tensor.data.to(memory_format=memory_format)
    for part in module.modules():
        if _looks_at_pixels(part):
            part.__class__ = Conv2d
            part.to(memory_format=torch.contiguous_format)
    return module


class Untouched:
    """How a module was before it was prepared, so that this can be taken back."""

    def __init__(self, module: nn.Module) -> None:
        self._classes = [(part, type(part)) for part in module.modules()]
        tensors = chain(module.parameters(), module.buffers())
        self._data = [(tensor, tensor.data) for tensor in tensors if tensor.ndim == 4]

    def restore(self) -> None:
        """Give the weights their memory format and the layers their classes again."""
        for part, kind in self._classes:
            if type(part) is not kind:
                part.__class__ = kind
        for tensor, data in self._data:
            tensor.data = data


class Copies:
    """Copies of one module that are prepared for plans; networks that share the module share them.

    A copy shares all weights that are the same under its plan.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], nn.Module] = {}

    def of(self, module: nn.Module, plan: Plan) -> nn.Module:
        """Return the copy for `plan`, which is made at the first call.

        `module` is the module to copy, with its batch norms folded if the plan says so.

        Raises
        ------
        StudioError
            If the user's own module cannot be copied.
        """
        key = _key(plan)
        if key not in self._made:
            self._made[key] = prepared(module, plan)
        return self._made[key]

    def sharing(self) -> Copies:
        """Return copies of the same that share their tensors."""
        found = Copies()
        found._made = {key: sharing(module) for key, module in self._made.copy().items()}
        return found

    def keep(self, *plans: Plan) -> None:
        """Discard the copies for all other plans."""
        kept = {_key(plan) for plan in plans}
        for key in [key for key in self._made if key not in kept]:
            self._made.pop(key, None)

    def __contains__(self, plan: Plan) -> bool:
        return _key(plan) in self._made


def _key(plan: Plan) -> tuple[object, ...]:
    return plan.layout, plan.precision, plan.first_layers, plan.folded


def prepared(module: nn.Module, plan: Plan) -> nn.Module:
    """Return a copy of a frozen module with its weights in a plan's type and memory format."""
    # All tensors are shared at first. None of them is changed in place.
    copy = sharing(module)
    first = Conv2d if plan.precision == FLOAT32 and plan.first_layers == TORCH else nn.Conv2d
    for part in copy.modules():
        if type(part) in (nn.Conv2d, Conv2d) and _looks_at_pixels(part, (nn.Conv2d, Conv2d)):
            part.__class__ = first
    _replace_tensors(copy, _converted(plan))
    return copy


def _replace_tensors(module: nn.Module, convert: Callable[[nn.Module, Tensor], Tensor]) -> None:
    """Replace each parameter and buffer, once even if several layers have it."""
    done: dict[int, Tensor] = {}
    for part in module.modules():
        for name, tensor in (*part._parameters.items(), *part._buffers.items()):
            if tensor is None:
                continue
            if id(tensor) not in done:
                new = convert(part, tensor)
                if name in part._parameters and new is not tensor:
                    new = nn.Parameter(new, requires_grad=False)
                done[id(tensor)] = new
            setattr(part, name, done[id(tensor)])


def _converted(plan: Plan) -> Callable[[nn.Module, Tensor], Tensor]:
    def convert(part: nn.Module, tensor: Tensor) -> Tensor:
        new = tensor.to(plan.dtype) if tensor.is_floating_point() else tensor
        if isinstance(part, _ConvNd) and tensor.ndim == 4:
            plain = type(part) is Conv2d  # torch's kernel takes contiguous weights
            layout = torch.contiguous_format if plain else plan.memory_format
            new = new.to(memory_format=layout)
        return new

    return convert


class Entrance(torch.autograd.Function):
    """Takes images into a prepared copy: its type and memory format, and back for the gradient.

    The gradient is contiguous float32, as the chains are.
    """

    @staticmethod
    def forward(_context: Any, x: Tensor, plan: Plan) -> Tensor:
        """Return x (n, C, H, W) in the plan's type and memory format."""
        return x.to(plan.dtype, memory_format=plan.memory_format)

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with respect to x."""
        whole = gradient.to(torch.float32, memory_format=torch.contiguous_format)
        return whole.contiguous(), None  # `to` leaves some transposed tensors as they are


def _looks_at_pixels(part: Any, kinds: tuple[type, ...] = (nn.Conv2d,)) -> bool:
    return (
        type(part) in kinds
        and part.in_channels <= FEW_CHANNELS
        and part.groups == 1
        and part.dilation == (1, 1)
        and part.padding_mode == "zeros"
        and not isinstance(part.padding, str)
    )
