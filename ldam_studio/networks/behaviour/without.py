"""Forward passes without dropout, for networks that use it in evaluation mode."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_F = nn.functional
_DROPOUT = {
    function: inspect.signature(function)
    for function in (
        *(_F.dropout, _F.dropout1d, _F.dropout2d, _F.dropout3d),
        *(_F.alpha_dropout, _F.feature_alpha_dropout),
    )
}
_OF_TORCH = frozenset(
    getattr(torch, f"{name}{end}")
    for name in ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout")
    for end in ("", "_")
)


class _WithoutDropout(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _DROPOUT:
            given = _DROPOUT[func].bind(*args, **kwargs)
            given.arguments["training"] = False
            return func(*given.args, **given.kwargs)
        if func in _OF_TORCH:
            return args[0] if args else kwargs["input"]
        return func(*args, **kwargs)


def without_dropout() -> TorchFunctionMode:
    """Return a mode in which torch's functions for dropout return their input."""
    return _WithoutDropout()
