"""Rectifiers that leak, so that something passes also through units that are silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

LEAK = 0.1
"""Slope that leaky rectifiers have in addition to their own."""

_F, _T = nn.functional, torch.Tensor
RECTIFIERS: frozenset[Callable[..., Any]] = frozenset(
    {
        *(_F.relu, _F.relu_, torch.relu, torch.relu_, _T.relu, _T.relu_, _F.relu6),
        *(_F.hardtanh, _F.hardtanh_, _F.hardswish, _F.hardsigmoid, _F.threshold),
        *(torch.clamp, torch.clamp_min, _T.clamp, _T.clamp_, _T.clamp_min, _T.clamp_min_),
    }
)
"""Functions that are flat somewhere, so that no gradient passes through."""


class LeakyRectifiers(TorchFunctionMode):
    """Within this mode `RECTIFIERS` also pass a part of the gradient.

    Their values are unchanged unless `values` is true: then a part of their input is added.
    """

    def __init__(self, *, values: bool = False) -> None:
        super().__init__()
        self._values = values

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Add 0 or a part of the input in the forward pass; the slope is `LEAK` larger in both."""
        kwargs = kwargs or {}
        if func not in RECTIFIERS:
            return func(*args, **kwargs)
        x = args[0] if args else kwargs["input"]
        # Computed before the function, which may overwrite its input.
        leak = LEAK * (x if self._values else x - x.detach())
        return func(*args, **kwargs) + leak
