"""Preparing a network for the sampler: frozen, and with fast gradients with respect to pixels.

The sampler never needs gradients with respect to the weights. The optimisations change results only
by rounding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

FEW_CHANNELS = 4
"""A convolution with at most this many input channels (grey, RGB, RGBA) is assumed to see
pixels."""


class Conv2d(nn.Conv2d):
    """A convolution over pixels; on the CPU it uses torch's own kernel instead of oneDNN's.

    With few input channels, oneDNN takes several times as long for the gradient with respect to the
    input as for the forward pass, torch's kernel only about as long. That saves a third to a half
    of a step on LeNet, and makes first layers at 224 pixels 1.4 to 3 times as fast.
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


def prepare(module: nn.Module) -> nn.Module:
    """Freeze a module and put it into evaluation mode and the fastest memory layout, in place.

    Weights, names and outputs stay the same. Convolutions over pixels become `Conv2d`.
    """
    # Convolutions are fastest with channels last, both on the CPU and on CUDA.
    module = module.to(memory_format=torch.channels_last).eval().requires_grad_(False)
    for part in module.modules():
        if _looks_at_pixels(part):
            part.__class__ = Conv2d
            part.to(memory_format=torch.contiguous_format)
    return module


def _looks_at_pixels(part: Any) -> bool:
    return (
        type(part) is nn.Conv2d
        and part.in_channels <= FEW_CHANNELS
        and part.groups == 1
        and part.dilation == (1, 1)
        and part.padding_mode == "zeros"
        and not isinstance(part.padding, str)
    )
