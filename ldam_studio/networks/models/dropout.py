"""Dropout with its own random generator."""

from __future__ import annotations

import torch
from torch import nn


class SeededDropout(nn.Module):
    """Dropout whose mask is drawn from its own generator.

    ``torch.nn.Dropout`` can only draw from torch's global generator, which would change the random
    numbers of everything else. In evaluation mode this module is the identity and draws nothing.

    Attributes
    ----------
    generator
        The generator of the masks, on the device of the images; the training code sets it. It is
        not part of the weights. Training without a generator raises an error, so that the global
        one is not used by mistake.
    """

    def __init__(self, rate: float = 0.5) -> None:
        super().__init__()
        self.rate = rate
        self.generator: torch.Generator | None = None

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Zero each value with probability ``rate`` and scale the others; any shape."""
        if not self.training or self.rate == 0:
            return values
        if self.generator is None:
            raise RuntimeError("SeededDropout in training mode needs a generator")
        kept = torch.rand(
            values.shape, generator=self.generator, device=values.device, dtype=values.dtype
        )
        return values * (kept >= self.rate) / (1 - self.rate)

    def extra_repr(self) -> str:
        """Show the rate in the module's printout."""
        return f"rate={self.rate}"


def use_generator(module: nn.Module, generator: torch.Generator | None) -> None:
    """Let every `SeededDropout` within ``module`` draw from ``generator``."""
    for part in module.modules():
        if isinstance(part, SeededDropout):
            part.generator = generator
