"""Making a network ready to be looked at: frozen, and fast in what the sampler asks of it.

The sampler wants the gradient with respect to the pixels and never that of the weights, step after
step. What is done here for speed changes sums' order of rounding and nothing else.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

FEW_CHANNELS = 4
"""At most so many input channels (grey, RGB, RGBA) mark the convolution that looks at pixels."""


class Conv2d(nn.Conv2d):
    """A convolution over pixels, by torch's own kernel instead of oneDNN's on processors.

    oneDNN's gradient with respect to an input of few channels takes several times as long as its
    forward pass; torch's takes about as long as it. The difference is a third to a half of the
    step on LeNet, and 1.4 to 3 times in first layers at 224 pixels.
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
    """Freeze a module and put it in evaluation mode and the layout that is fastest; in place.

    Weights, names and outputs stay; the type of a convolution over pixels becomes `Conv2d`.
    """
    # Channels last is what convolutions are fastest in, on processors as on CUDA.
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
