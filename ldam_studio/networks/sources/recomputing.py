"""Activation checkpointing of torch's older kind, through which no gradient of the image comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.utils import checkpoint


class _Directly:
    """Stands for `CheckpointFunction`: the function is run like any other."""

    @staticmethod
    def apply(function: Callable[..., Any], _preserve_rng_state: bool, *args: Any) -> Any:
        return function(*args)


def run_directly() -> None:
    """Let ``checkpoint(function, x, use_reentrant=True)`` be ``function(x)``, from now on.

    torch runs such a function without gradients and once more in the backward pass, and there it
    refuses gradients with respect to chosen tensors, such as the images of chains. Values and
    gradients are the same; the memory that this would save is taken.
    """
    checkpoint.CheckpointFunction = _Directly  # type: ignore[misc, assignment]
