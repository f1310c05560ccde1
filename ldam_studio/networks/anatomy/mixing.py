"""How footprints pass through what mixes elements: reductions, normalisations, products, attention.

An element of the result depends on all the elements along the dimensions that are mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ldam_studio.networks.anatomy.footprints import NoRuleError, Value, elementwise, union
from ldam_studio.networks.anatomy.operations import names

Rule = Callable[..., Any]


def _dims(x: Value, dim: Any) -> list[int]:
    """Return the dimensions of planes for an argument `dim`, of which none means all."""
    if dim is None or dim in ((), []):
        dim = range(len(x.shape))
    return [1 + d % len(x.shape) for d in ([dim] if isinstance(dim, int) else dim)]


def reduced(x: Value, dim: Any = None, keepdim: bool = False, **_: Any) -> Tensor:
    """Follow a sum, mean or similar reduction over some dimensions, or all."""
    return x.planes.amin(dim=_dims(x, dim), keepdim=keepdim)


def varied(
    x: Value, dim: Any = None, unbiased: bool = True, keepdim: bool = False, **_: Any
) -> Tensor:
    """Follow a variance, whose second argument may also say whether it is unbiased."""
    return reduced(x, None if isinstance(dim, bool) else dim, keepdim)


def normed(x: Value, p: Any = 2, dim: Any = None, keepdim: bool = False, **_: Any) -> Tensor:
    """Follow a vector's length."""
    return reduced(x, dim, keepdim)


def both_reduced(x: Value, *args: Any, **kwargs: Any) -> list[Tensor]:
    """Follow two reductions at once, or one with the positions of what it chose."""
    return [reduced(x, *args, **kwargs)] * 2


def extreme(x: Value, *args: Any, **kwargs: Any) -> Any:
    """Follow `max` and `min`: of two tensors, over a dimension with positions, or of everything."""
    if args and isinstance(args[0], Value):
        return elementwise(x, *args)
    return both_reduced(x, *args, **kwargs) if args or kwargs else reduced(x)


def chosen(x: Value, k: int = 1, dim: int = -1, *_: Any, **__: Any) -> list[Tensor]:
    """Follow `topk` and `kthvalue`: values and positions, each of which depends on all."""
    return [mixed(x, [dim])] * 2


def ordered(x: Value, dim: int = -1, *_: Any, **__: Any) -> list[Tensor]:
    """Follow `sort`, with the positions."""
    return [mixed(x, [dim])] * 2


def cumulative(x: Value, dim: int, **_: Any) -> Tensor:
    """Follow sums and products of all elements so far."""
    sums: Tensor = x.full.cummin(dim=1 + dim % len(x.shape)).values
    return sums


def compared(x: Value, other: Value, dim: int = 1, *_: Any, **__: Any) -> Tensor:
    """Follow a similarity of two tensors' vectors."""
    return reduced(Value(x.shape, union([x, other])), dim)


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


def batch_norm(x: Value, *args: Any, training: bool = False, **_: Any) -> Tensor | Value:
    """Follow a batch norm, which in evaluation mode is arithmetic unless it keeps no statistics."""
    if training or any(args[4:5]):
        return mixed(x, [d for d in range(len(x.shape)) if d != 1])
    return x


def instance_norm(x: Value, *args: Any, use_input_stats: bool = True, **_: Any) -> Tensor | Value:
    """Follow a normalisation of each channel over the places, or by statistics of its own."""
    if not use_input_stats or args[4:5] == (False,):
        return x
    return mixed(x, range(2, len(x.shape)))


def matmul(a: Value, b: Value) -> Tensor:
    """Follow a matrix product, which combines a row of one with a column of the other."""
    if min(len(a.shape), len(b.shape)) < 1:
        raise NoRuleError
    if len(b.shape) == 1:  # each row with a vector
        rows = Value(a.shape[:-1], a.planes.amin(dim=-1))
        return union([rows, Value((), b.planes.amin(dim=-1))])
    if len(a.shape) == 1:
        columns = Value((*b.shape[:-2], b.shape[-1]), b.planes.amin(dim=-2))
        return union([columns, Value((), a.planes.amin(dim=-1))])
    return union([Value(a.shape, mixed(a, [-1])), Value(b.shape, mixed(b, [-2]))])


def added_matmul(x: Value, a: Value, b: Value, **_: Any) -> Tensor:
    """Follow a matrix product that is added to something."""
    product = matmul(a, b)
    return union([x, Value((*a.shape[:-1], b.shape[-1]), product)])


def einsum(equation: str, *values: Any) -> Tensor:
    """Follow an Einstein sum: a letter that is not in the result is united over."""
    if len(values) == 1 and isinstance(values[0], list):
        values = tuple(values[0])
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    words = inputs.split(",")
    # Three dots stand for the dimensions that have no letters.
    dotted = {len(v.shape) + 3 - len(w) for w, v in zip(words, values, strict=True) if "..." in w}
    letters = "ABCDEFGH"[: max(dotted, default=0)]
    words, output = [w.replace("...", letters) for w in words], output.replace("...", letters)
    if not arrow or len(dotted) > 1 or any(len(set(word)) < len(word) for word in words):
        raise NoRuleError
    found = []
    for word, value in zip(words, values, strict=True):
        left = [d for d, letter in enumerate(word) if letter not in output]
        planes = value.planes.amin(dim=[1 + d for d in left]) if left else value.planes
        kept = [letter for letter in word if letter in output]
        order = [1 + kept.index(letter) for letter in output if letter in kept]
        planes = planes.permute(0, *order)
        for d, letter in enumerate(output):
            planes = planes if letter in kept else planes.unsqueeze(1 + d)
        found.append(planes)
    united: Tensor = found[0]
    for planes in found[1:]:
        united = torch.minimum(united, planes)
    return united


def attention(query: Value, key: Value, value: Value, *_: Any, **__: Any) -> Tensor:
    """Follow scaled_dot_product_attention: a query with all keys and values, masked or not."""
    return union(
        [
            Value(query.shape, mixed(query, [-1])),
            Value(key.shape, mixed(key, [-1, -2])),
            Value(value.shape, mixed(value, [-2])),
        ]
    )


def multi_head_attention(
    query: Value, key: Value, value: Value, *_: Any, need_weights: bool = True, **__: Any
) -> list[Tensor]:
    """Follow nn.MultiheadAttention, (tokens, batch, features): a query with all keys and values."""
    tokens = union(
        [
            Value(query.shape, mixed(query, [-1])),
            Value(key.shape, mixed(key, [0, -1])),
            Value(value.shape, mixed(value, [0, -1])),
        ]
    )
    weights = tokens.amin(dim=list(range(1, tokens.ndim)), keepdim=True)
    return [tokens, weights] if need_weights else [tokens]


OF_ONE: dict[str, Rule] = {
    **dict.fromkeys(names("mean sum amax amin logsumexp prod any all nansum"), reduced),
    **dict.fromkeys(names("nanmean count_nonzero"), reduced),
    **dict.fromkeys(names("var std"), varied),
    **dict.fromkeys(names("argmax argmin"), reduced),
    **dict.fromkeys(names("norm linalg_vector_norm"), normed),
    **dict.fromkeys(names("var_mean std_mean median mode nanmedian"), both_reduced),
    **dict.fromkeys(names("topk"), chosen),
    **dict.fromkeys(names("sort"), ordered),
    "argsort": lambda x, *args, **kwargs: ordered(x, *args, **kwargs)[0],
    **dict.fromkeys(names("cumsum cumprod logcumsumexp"), cumulative),
    **dict.fromkeys(names("softmax log_softmax softmin"), softmax),
    **dict.fromkeys(names("layer_norm rms_norm"), layer_norm),
    "linear": linear,
    "normalize": normalized,
    "batch_norm": batch_norm,
    "group_norm": group_norm,
    "instance_norm": instance_norm,
    "local_response_norm": normalized,
}
"""Rules for one tensor; all other tensors among the arguments are weights."""

OF_THREE: dict[str, Rule] = {
    "scaled_dot_product_attention": attention,
    "multi_head_attention_forward": multi_head_attention,
}
"""The same for three tensors."""

OF_ALL: dict[str, Rule] = {
    **dict.fromkeys(names("max min"), extreme),
    **dict.fromkeys(names("matmul bmm __matmul__ mm"), matmul),
    **dict.fromkeys(names("addmm baddbmm"), added_matmul),
    "cosine_similarity": compared,
    "einsum": einsum,
}
"""Rules that count all their tensors."""
