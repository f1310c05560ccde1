"""Averages over a training run: of the parameters, and of the predictions.

A stochastic optimiser keeps moving around its optimum, so that the average of its path is a better
estimate than its last point (Polyak and Juditsky 1992; Jiang et al., arXiv 1812.04604, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


class ParameterAverage:
    """Running mean of a module's parameters, one sample for each `update`.

    The mean is kept in float64, so that it does not lose precision over thousands of steps, and in
    main memory for devices without float64 (MPS). Buffers, for example the statistics of a batch
    norm, are averaged like parameters. Integer counters are those of the last update. Objects that
    are not tensors are left out.

    Parameters
    ----------
    window
        The n-th sample has the weight 1/n, but never less than 1/`window`: the mean is arithmetic
        at first and exponential later. With 0 it stays arithmetic.
    """

    def __init__(self, window: int = 0) -> None:
        self.window = window
        self.count = 0
        self._means: dict[str, torch.Tensor] = {}

    def update(self, module: nn.Module) -> None:
        """Add the module's parameters as one sample."""
        self.take(module.state_dict())

    @torch.no_grad()
    def take(self, parameters: Mapping[str, Any]) -> None:
        """Add parameters, by name, as one sample."""
        self.count += 1
        weight = 1 / (min(self.count, self.window) if self.window else self.count)
        for name, value in parameters.items():
            if not isinstance(value, torch.Tensor):
                continue
            if value.device.type == "mps":
                value = value.cpu()
            if not value.is_floating_point():
                self._means[name] = value.clone()
            elif name in self._means:
                self._means[name] += weight * (value - self._means[name])
            else:
                self._means[name] = value.to(torch.float64, copy=True)

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
            name: mean.float() if mean.is_floating_point() else mean.clone()
            for name, mean in self._means.items()
        }

    def stored(self) -> dict[str, Any]:
        """Return the whole state, for `restore`."""
        return {"count": self.count, "means": dict(self._means)}

    def restore(self, stored: dict[str, Any]) -> None:
        """Restore the state that `stored` returned."""
        self.count, self._means = int(stored["count"]), dict(stored["means"])


class PredictionAverage:
    """Running mean of class probabilities ``(n, classes)``, one sample for each `update`."""

    def __init__(self) -> None:
        self.count = 0
        self._sum: torch.Tensor | None = None

    def update(self, logits: torch.Tensor) -> None:
        """Add the softmax of ``logits`` as one sample."""
        probabilities = logits.double().softmax(1)
        self._sum = probabilities if self._sum is None else self._sum + probabilities
        self.count += 1

    def stored(self) -> dict[str, Any]:
        """Return the whole state, for `restore`."""
        return {"count": self.count, "sum": self._sum}

    def restore(self, stored: dict[str, Any]) -> None:
        """Restore the state that `stored` returned."""
        self.count, self._sum = int(stored["count"]), stored["sum"]

    def probabilities(self) -> torch.Tensor:
        """Return the mean probabilities; raises ValueError before the first `update`."""
        if self._sum is None:
            raise ValueError("no predictions to average yet")
        return self._sum / self.count
