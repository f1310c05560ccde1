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
    "dropout dropout2d feature_dropout feature_alpha_dropout alpha_dropout contiguous clone "
    "detach to float type type_as requires_grad_ data"
)
ARITHMETIC = names(
    "add sub mul div rsub true_divide pow square sqrt rsqrt exp expm1 log log1p abs neg sign sin "
    "cos reciprocal maximum minimum where masked_fill batch_norm erf round floor ceil half double "
    "bfloat16 __add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ "
    "__rdiv__ __pow__ __neg__ __iadd__ __isub__ __imul__ __itruediv__ addcmul lerp"
)
MOVING = names(
    "reshape flatten unflatten permute transpose swapaxes movedim moveaxis unsqueeze squeeze "
    "select narrow chunk split unbind expand expand_as roll flip repeat repeat_interleave tile "
    "ravel __getitem__ pixel_shuffle pixel_unshuffle channel_shuffle T mT index_select unfold "
    "tensor_split"
)
