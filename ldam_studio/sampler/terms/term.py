"""One term of the log-density."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from ldam_studio.sampler.density import Density


class Term(ABC):
    """A term of U(x), which is the sum over terms of factor * value(x).

    Attributes
    ----------
    name
        Its name in the table `TERMS`.
    setting
        The setting that is its weight; it must be `per_chain`.
    source
        The name of its network in `Density.sources`; None for a closed form. The size of a
        network's gradient differs from network to network, so mode *normalised* and the kernel
        bidmach scale it; gradients of closed forms are never scaled.
    always
        Whether it is evaluated even if its factor is 0, because its value is displayed.
    preconditioned
        Whether `gradient` returns P times the gradient, with the step's preconditioner P = R^2 (see
        `sampler.preconditioner`). A preconditioned step then uses it as it is.
    has_value
        Whether its value can be computed. Kernels that need values leave out a term without.
    """

    name: ClassVar[str]
    setting: ClassVar[str]
    source: ClassVar[str | None] = None
    always: ClassVar[bool] = False
    preconditioned: ClassVar[bool] = False
    has_value: ClassVar[bool] = True

    def is_in(self, density: Density) -> bool:
        """Return whether the density has what the term needs; otherwise it is left out."""
        return self.source is None or self.source in density.sources

    @abstractmethod
    def factor(self, weight: Tensor) -> Tensor:
        """Return the factor of the value in U, given the weight setting; both (chains, ...)."""

    @abstractmethod
    def value(self, x: Tensor, density: Density) -> Tensor:
        """Return the value at x (chains, C, H, W) for each chain, (chains,)."""

    @abstractmethod
    def gradient(self, x: Tensor, density: Density) -> Tensor:
        """Return the gradient of `value` at x, shaped like x; see `preconditioned`."""

    def curvature(self, height: int, width: int) -> Tensor | float:
        """Return the largest curvature of `value` at any x, for each spatial frequency.

        A closed form is convex, and its steepest waves limit the step size; see
        `sampler.stability`. The result is a number that holds for all frequencies, or has the shape
        of the half spectrum, (H, W // 2 + 1). It is 0 where nothing is known, as of networks. For a
        term that is `preconditioned` it is that of P times the Hessian.
        """
        return 0.0

    def evaluate(
        self, x: Tensor, density: Density, *, valued: bool
    ) -> tuple[Tensor | None, Tensor]:
        """Return value and gradient at x.

        The value is None if it takes extra work and is not requested by `valued`.
        """
        return self.value(x, density) if valued else None, self.gradient(x, density)


class SourceTerm(Term):
    """A term whose value and gradient are computed together by one of `Density.sources`."""

    source: ClassVar[str]

    def value(self, x: Tensor, density: Density) -> Tensor:
        """Return the source's value."""
        return density.sources[self.source](x)[0]

    def gradient(self, x: Tensor, density: Density) -> Tensor:
        """Return the source's gradient."""
        return density.sources[self.source](x)[1]

    def evaluate(
        self, x: Tensor, density: Density, *, valued: bool
    ) -> tuple[Tensor | None, Tensor]:
        """Return value and gradient; the value is always there, since the gradient needs it."""
        return density.sources[self.source](x)
