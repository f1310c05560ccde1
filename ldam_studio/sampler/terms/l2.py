"""L2: every pixel is pulled back to the rest colour."""

from __future__ import annotations

from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.terms.term import Term


class L2(Term):
    """-lam |x - r|^2 with the rest colour r (Jiang et al., arXiv 1812.04604, section 3)."""

    name = "l2"
    setting = "l2"

    def factor(self, weight: Tensor) -> Tensor:
        """Return -2 lam."""
        return -2 * weight

    def value(self, x: Tensor, density: Density) -> Tensor:
        """Return |x - r|^2 / 2; the half makes the gradient x - r without a multiplication."""
        return (x - density.rest).square().flatten(1).sum(1) / 2

    def gradient(self, x: Tensor, density: Density) -> Tensor:
        """Return x - r."""
        return x - density.rest

    def curvature(self, height: int, width: int) -> float:
        """Return 1, at every frequency."""
        return 1.0
