"""How footprints pass through windows: convolutions and pooling.

These operations act along each dimension of places by itself. Along one dimension, a *table*
(outputs, k) has the positions of the input from which each output is computed; -1 stands for
padding, which depends on no pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.footprints import NOTHING, Value

Rule = Callable[..., Any]


def gathered(planes: Tensor, dim: int, table: Tensor) -> Tensor:
    """Unite planes along a dimension: each output sees what its row of the table sees."""
    size = planes.shape[dim]
    nothing = torch.full_like(planes.narrow(dim, 0, 1), NOTHING)
    padded = torch.cat([planes, nothing], dim)
    found = None
    for column in torch.where(table < 0, size, table).unbind(1):
        part = padded.index_select(dim, column)
        found = part if found is None else torch.minimum(found, part)
    assert found is not None
    return found


def through(x: Value, tables: Sequence[Tensor]) -> Value:
    """Pass the last dimensions of `x` through tables, one for each."""
    n = len(tables)
    planes = x.short.expand(*x.short.shape[:-n], *x.shape[-n:])
    for dim, table in enumerate(tables, planes.ndim - n):
        planes = gathered(planes, dim, table)
    return Value((*x.shape[:-n], *planes.shape[-n:]), planes, x.runs)


def each(value: Any, n: int) -> list[int]:
    """Return an argument that is one number, or one for each of n dimensions, as a list."""
    if isinstance(value, int):
        return [value] * n
    numbers = [int(v) for v in value]
    return numbers * n if len(numbers) == 1 else numbers


# Tables along one dimension


def _windows(
    size: int, kernel: int, stride: int, before: int, dilation: int, outputs: int
) -> Tensor:
    starts = torch.arange(outputs)[:, None] * stride - before
    table = starts + torch.arange(kernel) * dilation
    return torch.where((table >= 0) & (table < size), table, -1)


def _spread(
    size: int, kernel: int, stride: int, before: int, dilation: int, outputs: int
) -> Tensor:
    """Return the table of a transposed convolution."""
    reached = torch.arange(outputs)[:, None] + before - torch.arange(kernel) * dilation
    table = reached.div(stride, rounding_mode="floor")
    return torch.where((reached % stride == 0) & (table >= 0) & (table < size), table, -1)


def _bins(size: int, outputs: int) -> Tensor:
    """Return the table of adaptive pooling."""
    numbers = torch.arange(outputs)[:, None]
    starts, ends = numbers * size // outputs, -(-(numbers + 1) * size // outputs)
    table = starts + torch.arange(int((ends - starts).max()))
    return torch.where(table < ends, table, -1)


# Rules of operations


def conv(
    x: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Value:
    """Follow a convolution: windows over all channels of a group."""
    outputs, _, *kernel = weight.shape
    n = len(kernel)
    strides, gaps = each(stride, n), each(dilation, n)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, gaps, strict=True)]
    if padding == "same":
        sides = [((span - 1) // 2, span - 1 - (span - 1) // 2) for span in spans]
    else:
        sides = [(p, p) for p in each(0 if padding == "valid" else padding, n)]
    tables = []
    for size, k, s, d, span, (before, after) in zip(
        x.shape[-n:], kernel, strides, gaps, spans, sides, strict=True
    ):
        count = (size + before + after - span) // s + 1
        tables.append(_windows(size, k, s, before, d, count))
    return through(_over_channels(x, n, groups, outputs), tables)


def conv_transpose(
    x: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Value:
    """Follow a transposed convolution."""
    _, outputs, *kernel = weight.shape
    n = len(kernel)
    tables = []
    for size, k, s, p, more, d in zip(
        x.shape[-n:],
        kernel,
        *(each(given, n) for given in (stride, padding, output_padding, dilation)),
        strict=True,
    ):
        count = (size - 1) * s - 2 * p + d * (k - 1) + more + 1
        tables.append(_spread(size, k, s, p, d, count))
    return through(_over_channels(x, n, groups, outputs * groups), tables)


def _over_channels(x: Value, n: int, groups: int, outputs: int) -> Value:
    """Return `x` with each of its groups of channels united, for `outputs` channels."""
    shape = list(x.shape)
    shape[-n - 1] = outputs
    planes = x.short if groups == 1 else x.planes
    dim = planes.ndim - n - 1
    if groups == 1 or planes.shape[dim] == 1:
        return Value(tuple(shape), planes.amin(dim=dim, keepdim=True))
    planes = planes.unflatten(dim, (groups, -1)).amin(dim=dim + 1)
    return Value(tuple(shape), planes.repeat_interleave(outputs // groups, dim=dim))


def thnn_conv2d(
    x: Value,
    weight: Value,
    kernel_size: Any,
    bias: Value | None = None,
    stride: Any = 1,
    padding: Any = 0,
) -> Value:
    """Follow the convolution that `networks.prepare` uses for pixels."""
    return conv(x, weight, bias, stride, padding)


def max_pool(n: int) -> Rule:
    """Return the rule of pooling over windows in n dimensions."""

    def rule(
        x: Value,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Value | list[Value]:
        tables = []
        for size, k, s, p, d in zip(
            x.shape[-n:],
            *(each(given, n) for given in (kernel_size, stride or kernel_size, padding, dilation)),
            strict=True,
        ):
            room = size + 2 * p - d * (k - 1) - 1
            count = (-(-room // s) if ceil_mode else room // s) + 1
            if ceil_mode and (count - 1) * s >= size + p:
                count -= 1  # the last window must begin within the input or its padding
            tables.append(_windows(size, k, s, p, d, count))
        found = through(x, tables)
        return [found, found] if return_indices else found

    return rule


def avg_pool(n: int) -> Rule:
    """Return the rule of average pooling, which sees the same as maximum pooling."""

    def rule(
        x: Value,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Any:
        return max_pool(n)(x, kernel_size, stride, padding, 1, ceil_mode)

    return rule


def lp_pool(n: int) -> Rule:
    """Return the rule of power-average pooling."""

    def rule(
        x: Value, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> Any:
        return max_pool(n)(x, kernel_size, stride, 0, 1, ceil_mode)

    return rule


def adaptive_pool(n: int) -> Rule:
    """Return the rule of pooling to a given size."""

    def rule(x: Value, output_size: Any, return_indices: bool = False) -> Value | list[Value]:
        wanted = [output_size] * n if isinstance(output_size, int | None) else list(output_size)
        tables = [
            _bins(size, size if count is None else count)
            for size, count in zip(x.shape[-n:], wanted, strict=True)
        ]
        found = through(x, tables)
        return [found, found] if return_indices else found

    return rule


RULES: dict[str, Rule] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), conv),
    **{f"conv_transpose{n}d": conv_transpose for n in (1, 2, 3)},
    "thnn_conv2d": thnn_conv2d,
    **{f"max_pool{n}d": max_pool(n) for n in (1, 2, 3)},
    **{f"max_pool{n}d_with_indices": max_pool(n) for n in (1, 2, 3)},
    **{f"avg_pool{n}d": avg_pool(n) for n in (1, 2, 3)},
    **{f"lp_pool{n}d": lp_pool(n) for n in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{n}d": adaptive_pool(n) for n in (1, 2, 3) for kind in ("avg", "max")},
    **{f"adaptive_max_pool{n}d_with_indices": adaptive_pool(n) for n in (1, 2, 3)},
}
