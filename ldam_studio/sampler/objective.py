"""Objectives: a value for each image, and the gradient of that value."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Objective = Callable[[Tensor], Tensor]
"""Maps x (chains, C, H, W) to a value per chain (chains,). Chains are independent of each other."""

ValueAndGradient = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Maps x (chains, C, H, W) to a value per chain (chains,) and its gradient, shaped like x."""


def value_and_gradient(
    objective: Objective, between: Callable[[], None] = lambda: None
) -> ValueAndGradient:
    """Turn a differentiable objective into a `ValueAndGradient`.

    Chains are independent, so the gradient of the sum contains the gradient of each chain.
    `between` is called after the value is known and before the gradient is computed; an exception
    in it ends the evaluation.
    """

    def evaluate(x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_(True)
            value = objective(leaf)
            between()
            (gradient,) = torch.autograd.grad(value.sum(), leaf)
        return value.detach(), gradient

    return evaluate


def mean_of(functions: Sequence[ValueAndGradient]) -> ValueAndGradient:
    """Return the mean of functions, evaluated one after the other so that memory stays small."""
    if len(functions) == 1:
        return functions[0]

    def evaluate(x: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient = functions[0](x)
        for function in functions[1:]:
            further, slope = function(x)
            value, gradient = value + further, gradient + slope
        return value / len(functions), gradient / len(functions)

    return evaluate
