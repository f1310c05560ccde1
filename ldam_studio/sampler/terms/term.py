"""One term of the log-density."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from ldam_studio.sampler.density import Density


class Term(ABC):
    """A term of U(x) = sum over terms of factor * value(x).

    Attributes
    ----------
    name
        Its name in the table `TERMS`.
    setting
        The setting of the chains that weighs it, one that each chain may have a value of its own
        of.
    source
        The name in `Density.sources` of what it is made of; None for a closed form. Gradients of a
        source differ in size from network to network, so that mode *normalised* and the kernel of
        BIDMach scale them; closed forms are taken as they are.
    always
        Whether it is evaluated even where its factor is 0, because its value is shown.
    """

    name: ClassVar[str]
    setting: ClassVar[str]
    source: ClassVar[str | None] = None
    always: ClassVar[bool] = False

    @abstractmethod
    def factor(self, weight: Tensor) -> Tensor:
        """Return what multiplies the value in U, given the weight setting; both (chains, ...)."""

    @abstractmethod
    def value(self, x: Tensor, density: Density) -> Tensor:
        """Return the value at x (chains, C, H, W) for each chain, (chains,)."""

    @abstractmethod
    def gradient(self, x: Tensor, density: Density) -> Tensor:
        """Return the gradient of `value` at x, shaped like x."""

    def evaluate(
        self, x: Tensor, density: Density, *, valued: bool
    ) -> tuple[Tensor | None, Tensor]:
        """Return value and gradient at x; a value that takes extra work only if `valued`."""
        return self.value(x, density) if valued else None, self.gradient(x, density)


class SourceTerm(Term):
    """A term whose value and gradient come from one of `Density.sources`, both at once."""

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
        """Return both; there is no gradient without a value."""
        return density.sources[self.source](x)
