"""Averages over a training run: of the parameters, and of the predictions.

A stochastic optimiser keeps moving around its optimum; the average of where it has been is a better
estimate than where it stopped (Polyak and Juditsky 1992; Jiang et al., arXiv 1812.04604, section
4).
"""

from __future__ import annotations

import torch
from torch import nn


class ParameterAverage:
    """Running mean of a module's parameters, one sample for each `update`.

    Sums are kept in float64, so that thousands of steps do not wear the mean down. Buffers (such as
    the statistics of a batch normalisation) are averaged as the parameters are; counters, which are
    integers, are taken from the last update.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sums: dict[str, torch.Tensor] = {}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take the module's parameters as one more sample."""
        self.count += 1
        for name, value in module.state_dict().items():
            if not value.is_floating_point():
                self._sums[name] = value.clone()
            elif name in self._sums:
                self._sums[name] += value
            else:
                self._sums[name] = value.to(torch.float64, copy=True)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Return the mean of each parameter, in float32.

        Raises
        ------
        ValueError
            Before the first `update`.
        """
        if self.count == 0:
            raise ValueError("no parameters to average yet")
        return {
            name: (total / self.count).float() if total.is_floating_point() else total.clone()
            for name, total in self._sums.items()
        }


class PredictionAverage:
    """Running mean of class probabilities ``(n, classes)``, one sample for each `update`."""

    def __init__(self) -> None:
        self.count = 0
        self._sum: torch.Tensor | None = None

    def update(self, logits: torch.Tensor) -> None:
        """Take the softmax of ``logits`` as one more sample."""
        probabilities = logits.double().softmax(1)
        self._sum = probabilities if self._sum is None else self._sum + probabilities
        self.count += 1

    def probabilities(self) -> torch.Tensor:
        """Return the mean probabilities; raises ValueError before the first `update`."""
        if self._sum is None:
            raise ValueError("no predictions to average yet")
        return self._sum / self.count
