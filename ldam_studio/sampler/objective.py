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


class Recalled:
    """A function of pixels that recalls what it returned for the first ones.

    Parameters
    ----------
    function
        Evaluates chains independently of each other.
    """

    def __init__(self, function: ValueAndGradient) -> None:
        self._function = function
        self._x: Tensor | None = None
        self._found: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return values (chains,) and their gradients, shaped like x."""
        if self._found is None:
            self._x, self._found = x, self._function(x)
        return self._found if x is self._x else self._function(x)

    def reorder(self, x: Tensor, order: Tensor) -> None:
        """Recall for x, the first pixels in another order, what was returned for those."""
        if self._found is not None:
            value, gradient = self._found
            self._x, self._found = x, (value[order], gradient[order])
