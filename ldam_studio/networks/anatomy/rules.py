"""How operations carry footprints: one rule for each, in the table `RULES`.

A rule is called like its operation, with a `Value` instead of each tensor, and returns the planes
or values of the result. The result of an operation without a rule is unknown, and so is everything
that depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ldam_studio.networks.anatomy.footprints import NOTHING, Value, compact, union
from ldam_studio.networks.anatomy.operations import ACTIVATIONS, ARITHMETIC, SAME, names


class NoRuleError(Exception):
    """A rule does not support these arguments of its operation; the result is unknown."""


def elementwise(*args: Any, **kwargs: Any) -> Tensor | Value:
    """Follow arithmetic and activation functions, which act element by element."""
    values = [v for v in (*args, *kwargs.values()) if isinstance(v, Value)]
    first, *rest = values
    small = all(len(v.shape) <= len(first.shape) and v.short.numel() == 4 for v in rest)
    if first.runs and small and all(bool((v.short == NOTHING).all()) for v in rest):
        return first
    return union(values)


def moving(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Return the rule of an operation that only moves elements: it moves the planes likewise."""

    def rule(x: Value, *args: Any, **kwargs: Any) -> Any:
        moved = [operation(plane, *args, **kwargs) for plane in x.full]
        if isinstance(moved[0], Tensor):
            return _stack(moved)
        return [_stack(parts) for parts in zip(*moved, strict=True)]

    return rule


def _stack(planes: Sequence[Tensor]) -> Tensor:
    parts = [compact(plane[None]) for plane in planes]
    return torch.cat(parts)


def joining(operation: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the rule of `cat` or `stack`."""

    def rule(values: Sequence[Value], *args: Any, **kwargs: Any) -> Tensor:
        return _stack([operation([v.full[k] for v in values], *args, **kwargs) for k in range(4)])

    return rule


def concatenated(values: Sequence[Value], dim: int = 0) -> Tensor | Value:
    """Follow `cat`, keeping size 1 in dimensions along which all parts are equal."""
    dims = len(values[0].shape)
    at = dim % dims
    if at == 1 and dims == 4 and all(v.runs or v.short.shape[2] == 1 for v in values):
        sizes = [max(v.short.shape[1 + d] for v in values) for d in range(dims)]
        short = [v.short.expand(4, sizes[0], -1, *sizes[2:]) for v in values]
        channels = sum(v.shape[1] for v in values)
        runs = tuple(run for v in values for run in v.runs or (v.shape[1],))
        shape = (values[0].shape[0], channels, *values[0].shape[2:])
        return Value(shape, torch.cat(short, dim=2), runs)
    sizes = [max(v.planes.shape[1 + d] for v in values) for d in range(dims)]
    parts = []
    for value in values:
        parts.append(value.planes.expand(4, *sizes[:at], value.shape[at], *sizes[at + 1 :]))
    return torch.cat(parts, dim=1 + at)


def padded(x: Value, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Tensor:
    """Follow padding with constants or with copied values."""
    filling = NOTHING if mode == "constant" else None
    return _stack([functional.pad(p, list(pad), mode=mode, value=filling) for p in x.full])


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    first, *rest = value
    return int(first), int(rest[0] if rest else first)


def _windows(planes: Tensor, kernel: Any, stride: Any, dilation: Any, ceil: bool = False) -> Tensor:
    """Unite planes over sliding windows: (4, n, c, H, W) -> (4, n, c, H', W')."""
    four, n, *rest = planes.shape
    kernel, stride, dilation = _pair(kernel), _pair(stride), _pair(dilation)
    seen: Tensor = functional.max_pool2d(
        -planes.reshape(four * n, *rest), kernel, stride, 0, dilation, ceil
    )
    return -seen.reshape(four, n, *seen.shape[1:])


def _surrounded(x: Value, rows: Sequence[int], columns: Sequence[int]) -> Tensor:
    """Return planes with all rows and columns, padded with elements that depend on no pixel."""
    planes = x.short.expand(4, *x.short.shape[1:-2], *x.shape[-2:])
    return functional.pad(planes, (*columns, *rows), value=NOTHING)


def conv2d(
    x: Value,
    weight: Value,
    bias: Value | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Follow a convolution: windows over all channels of a group."""
    outputs, _, *kernel = weight.shape
    gaps = _pair(dilation)
    if padding == "same":
        total = [d * (k - 1) for d, k in zip(gaps, kernel, strict=True)]
        sides = [(t // 2, t - t // 2) for t in total]
    else:
        sides = [(p, p) for p in _pair(0 if padding == "valid" else padding)]
    if groups > 1 and x.runs:
        x = Value(x.shape, x.planes)
    planes = _surrounded(x, *sides)
    if groups == 1 or planes.shape[2] == 1:
        planes = planes.amin(dim=2, keepdim=True)
    else:
        planes = planes.unflatten(2, (groups, -1)).amin(dim=3)
        planes = planes.repeat_interleave(outputs // groups, dim=2)
    return _windows(planes, kernel, stride, dilation)


def thnn_conv2d(
    x: Value,
    weight: Value,
    kernel_size: Any,
    bias: Value | None = None,
    stride: Any = 1,
    padding: Any = 0,
) -> Tensor:
    """Follow the convolution that `networks.prepare` uses for pixels."""
    return conv2d(x, weight, bias, stride, padding)


def max_pool2d(
    x: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | Value:
    """Follow pooling over windows."""
    planes = _surrounded(x, (0, 0), (0, 0))
    four, n, *rest = planes.shape
    seen: Tensor = functional.max_pool2d(
        -planes.reshape(four * n, *rest),
        _pair(kernel_size),
        _pair(stride or kernel_size),
        _pair(padding),
        _pair(dilation),
        ceil_mode,
    )
    return _pooled(x, -seen.reshape(four, n, *seen.shape[1:]))


def avg_pool2d(
    x: Value,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor | Value:
    """Follow average pooling, which depends on the same pixels as maximum pooling."""
    return max_pool2d(x, kernel_size, stride, padding, 1, ceil_mode)


def _pooled(x: Value, planes: Tensor) -> Tensor | Value:
    """Return the planes of pooled `x`, with its channels still in runs."""
    return Value((*x.shape[:-2], *planes.shape[-2:]), planes, x.runs) if x.runs else planes


def adaptive_pool2d(x: Value, output_size: Any, return_indices: bool = False) -> Tensor | Value:
    """Follow pooling to a given size."""
    planes = _surrounded(x, (0, 0), (0, 0))
    four, n, *rest = planes.shape
    seen: Tensor = functional.adaptive_max_pool2d(-planes.reshape(four * n, *rest), output_size)
    return _pooled(x, -seen.reshape(four, n, *seen.shape[1:]))


def reduced(x: Value, dim: Any = None, keepdim: bool = False, **_: Any) -> Tensor:
    """Follow a sum, mean or similar reduction over some dimensions, or all."""
    dims = range(len(x.shape)) if dim is None else [dim] if isinstance(dim, int) else dim
    dims = [1 + d % len(x.shape) for d in dims]
    return x.planes.amin(dim=dims, keepdim=keepdim)


def mixed(x: Value, dims: Sequence[int]) -> Tensor:
    """Give every element the union of the footprints of all elements along `dims`."""
    return x.planes.amin(dim=[1 + d % len(x.shape) for d in dims], keepdim=True)


def linear(x: Value, weight: Value, bias: Value | None = None) -> Tensor:
    """Follow a fully connected layer: features are mixed."""
    return mixed(x, [-1])


def softmax(x: Value, dim: int | None = None, *_: Any, **__: Any) -> Tensor:
    """Follow a softmax; without `dim` everything is mixed."""
    return mixed(x, range(len(x.shape)) if dim is None else [dim])


def normalized(x: Value, p: float = 2.0, dim: int = 1, *_: Any, **__: Any) -> Tensor:
    """Follow a division by a vector's length."""
    return mixed(x, [dim])


def layer_norm(x: Value, normalized_shape: Sequence[int], *_: Any, **__: Any) -> Tensor:
    """Follow a normalisation over the last dimensions."""
    return mixed(x, range(-len(normalized_shape), 0))


def group_norm(x: Value, num_groups: int, *_: Any, **__: Any) -> Tensor:
    """Follow a normalisation over the places, and over a group's channels."""
    planes = x.planes.amin(dim=list(range(3, 1 + len(x.shape))), keepdim=True)
    if planes.shape[2] == 1:
        return planes
    grouped = planes.unflatten(2, (num_groups, -1)).amin(dim=3)
    spread: Tensor = grouped.repeat_interleave(x.shape[1] // num_groups, dim=2)
    return spread


def instance_norm(x: Value, *_: Any, **__: Any) -> Tensor:
    """Follow a normalisation of each channel over the places."""
    return mixed(x, range(2, len(x.shape)))


def matmul(a: Value, b: Value) -> Tensor:
    """Follow a matrix product, which combines a row of one with a column of the other."""
    if min(len(a.shape), len(b.shape)) < 2:
        raise NoRuleError
    return union([Value(a.shape, mixed(a, [-1])), Value(b.shape, mixed(b, [-2]))])


def attention(query: Value, key: Value, value: Value, *args: Any, **kwargs: Any) -> Tensor:
    """Follow scaled_dot_product_attention without a mask: a query with all keys and values."""
    if any(option is not None for option in args[:1]) or args[2:]:
        raise NoRuleError
    if kwargs.get("attn_mask") is not None or kwargs.get("is_causal"):
        raise NoRuleError
    return union(
        [
            Value(query.shape, mixed(query, [-1])),
            Value(key.shape, mixed(key, [-1, -2])),
            Value(value.shape, mixed(value, [-2])),
        ]
    )


def multi_head_attention(
    query: Value, key: Value, value: Value, *_: Any, need_weights: bool = True, **options: Any
) -> list[Tensor]:
    """Follow nn.MultiheadAttention, (tokens, batch, features): a query with all keys and values."""
    if options.get("attn_mask") is not None or options.get("key_padding_mask") is not None:
        raise NoRuleError
    tokens = union(
        [
            Value(query.shape, mixed(query, [-1])),
            Value(key.shape, mixed(key, [0, -1])),
            Value(value.shape, mixed(value, [0, -1])),
        ]
    )
    weights = tokens.amin(dim=list(range(1, tokens.ndim)), keepdim=True)
    return [tokens, weights] if need_weights else [tokens]


RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys((*ACTIVATIONS, *SAME, *ARITHMETIC), elementwise),
    **dict.fromkeys(names("mean sum amax amin logsumexp std var"), reduced),
    **dict.fromkeys(names("adaptive_avg_pool2d adaptive_max_pool2d"), adaptive_pool2d),
    **dict.fromkeys(names("softmax log_softmax softmin"), softmax),
    **dict.fromkeys(names("matmul bmm __matmul__ mm"), matmul),
    **dict.fromkeys(names("layer_norm rms_norm"), layer_norm),
    "conv2d": conv2d,
    "thnn_conv2d": thnn_conv2d,
    "max_pool2d": max_pool2d,
    "avg_pool2d": avg_pool2d,
    "linear": linear,
    "normalize": normalized,
    "group_norm": group_norm,
    "instance_norm": instance_norm,
    "local_response_norm": normalized,
    "cat": concatenated,
    "concat": concatenated,
    "stack": joining(torch.stack),
    "pad": padded,
    "scaled_dot_product_attention": attention,
    "multi_head_attention_forward": multi_head_attention,
}
