"""The images that a network is given to find out how it behaves."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Images:
    """Three normalised images (1, C, H, W): noise, noise far outside of what is normal, and rest.

    The last is nearly the same everywhere.
    """

    noise: Tensor
    loud: Tensor
    rest: Tensor

    def batch(self, count: int) -> Tensor:
        """Return a batch of `count` images that begins with the noise."""
        every = torch.cat([self.noise, self.loud, self.rest])
        return every[[number % 3 for number in range(count)]]

    def to(self, dtype: torch.dtype) -> Images:
        """Return the images in another type."""
        return Images(self.noise.to(dtype), self.loud.to(dtype), self.rest.to(dtype))
