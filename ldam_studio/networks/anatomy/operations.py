"""Names of torch's operations, grouped by what they do with the elements of a tensor."""

from __future__ import annotations


def names(words: str) -> tuple[str, ...]:
    """Split a text at its spaces."""
    return tuple(words.split())


ACTIVATIONS = names(
    "relu relu6 leaky_relu elu selu celu gelu silu mish sigmoid logsigmoid hardsigmoid tanh "
    "hardtanh hardswish softplus softsign threshold prelu clamp clamp_min clamp_max"
)
SAME = names(
    "dropout dropout1d dropout2d dropout3d feature_dropout feature_alpha_dropout alpha_dropout "
    "contiguous clone detach to float type type_as requires_grad_ data"
)
ARITHMETIC = names(
    "add sub mul div rsub true_divide floor_divide pow square sqrt rsqrt exp exp2 expm1 log log2 "
    "log10 log1p abs neg sign sgn sin cos tan asin acos atan atan2 sinh cosh asinh acosh atanh "
    "sinc reciprocal maximum minimum fmax fmin fmod remainder hypot where masked_fill erf erfc "
    "erfinv logit xlogy logaddexp round floor ceil trunc frac nan_to_num half double bfloat16 int "
    "long bool positive __add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ "
    "__rtruediv__ __rdiv__ __floordiv__ __mod__ __pow__ __rpow__ __neg__ __iadd__ __isub__ "
    "__imul__ __itruediv__ __ipow__ addcmul addcdiv lerp softshrink hardshrink tanhshrink rrelu"
)
COMPARISONS = names(
    "gt ge lt le eq ne greater less isclose logical_and logical_or "
    "logical_not logical_xor bitwise_and bitwise_or bitwise_not __gt__ __ge__ __lt__ __le__ "
    "__eq__ __ne__ __and__ __or__ __invert__"
)
MOVING = names(
    "reshape flatten unflatten permute transpose swapaxes movedim moveaxis unsqueeze squeeze "
    "select narrow chunk split unbind expand expand_as roll flip repeat repeat_interleave tile "
    "ravel __getitem__ pixel_shuffle pixel_unshuffle channel_shuffle T mT H mH index_select unfold "
    "tensor_split hsplit vsplit swapdims rot90 fliplr flipud broadcast_to diagonal gather "
    "take_along_dim"
)
READING = names(
    "__bool__ __int__ __float__ __index__ __complex__ __contains__ item tolist numpy __array__ "
    "__dlpack__ equal allclose is_nonzero"
)
"""Operations that give values to Python, which may do anything with them."""
SIZED_BY_VALUES = names(
    "nonzero nonzero_static argwhere masked_select unique unique_consecutive bincount"
)
"""Operations whose result has a size that depends on values."""
