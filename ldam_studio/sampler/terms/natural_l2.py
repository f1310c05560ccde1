"""Natural L2: a pull back to the rest colour that follows the preconditioner."""

from __future__ import annotations

from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.terms.term import Term


class NaturalL2(Term):
    """-mu (x - r)^T P^-1 (x - r) with the rest colour r and the preconditioner P = R^2.

    With this term alone, x - r is normal with the covariance T P / (2 mu); with a spectrum of 1
    these images have the amplitudes of photographs. P times the gradient is -2 mu (x - r), so that
    a step does not need P^-1, which would amplify rounding errors.
    """

    name = "natural_l2"
    setting = "natural_l2"
    preconditioned = True

    def factor(self, weight: Tensor) -> Tensor:
        """Return -2 mu."""
        return -2 * weight

    def value(self, x: Tensor, density: Density) -> Tensor:
        """Return |R^-1 (x - r)|^2 / 2."""
        return density.unrooted(x - density.rest).square().flatten(1).sum(1) / 2

    def gradient(self, x: Tensor, density: Density) -> Tensor:
        """Return x - r, which is P times the gradient of `value`."""
        return x - density.rest

    def curvature(self, height: int, width: int) -> float:
        """Return 1, at every frequency."""
        return 1.0
