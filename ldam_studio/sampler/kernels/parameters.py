"""The numbers that a step uses, computed once for each change of a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ldam_studio.sampler.terms.term import Term


@dataclass(frozen=True)
class Weighted:
    """A term with its factors: `factor` in U, and `rate` = (eps/2) factor in a step.

    Both have shape (chains, 1, 1, 1).
    """

    term: Term
    factor: Tensor
    rate: Tensor


@dataclass(frozen=True)
class Parameters:
    """The settings in the form that a kernel uses.

    Attributes
    ----------
    columns
        Each setting that may differ from chain to chain, by name, (chains, 1, 1, 1).
    terms
        The terms of U, without those whose factor is 0 for all chains.
    noise
        sqrt(eps T), (chains, 1, 1, 1).
    mode
        How gradients of networks are scaled: "exact" for not at all, "normalised" for division by
        their size, "by pixel" for BIDMach's rule.
    spectrum, colour_correlation
        The preconditioning of the step (see `sampler.preconditioner`).
    """

    columns: Mapping[str, Tensor]
    terms: tuple[Weighted, ...]
    noise: Tensor
    mode: str
    spectrum: float
    colour_correlation: float

    @property
    def temperature(self) -> Tensor:
        """T, (chains, 1, 1, 1)."""
        return self.columns["temperature"]

    @property
    def step_size(self) -> Tensor:
        """eps, (chains, 1, 1, 1)."""
        return self.columns["step_size"]

    @property
    def preconditioned(self) -> bool:
        """Whether the step is preconditioned."""
        return self.spectrum > 0 or self.colour_correlation > 0
