"""The numbers that a step uses, computed once for each change of a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.sampler.preconditioner import precondition, strength, unrooted
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
    spectrum, spectrum_floor, colour_correlation
        The preconditioning of the step (see `sampler.preconditioner`).
    """

    columns: Mapping[str, Tensor]
    terms: tuple[Weighted, ...]
    noise: Tensor
    mode: str
    spectrum: float
    spectrum_floor: float
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

    def precondition(self, drift: Tensor, noise: Tensor) -> Tensor:
        """Return P drift + R noise, where P = R^2 is the preconditioner."""
        if not self.preconditioned:
            return drift + noise
        return precondition(
            drift, noise, self.spectrum, self.colour_correlation, self.spectrum_floor
        )

    def root(self, x: Tensor) -> Tensor:
        """Return R x."""
        return self.precondition(torch.zeros_like(x), x) if self.preconditioned else x

    def unrooted(self, x: Tensor) -> Tensor:
        """Return R^-1 x."""
        return unrooted(x, self.spectrum, self.colour_correlation, self.spectrum_floor)

    def strength(self, x: Tensor) -> Tensor:
        """Return the norm of R x of each chain, (chains,)."""
        return strength(x, self.spectrum, self.colour_correlation, self.spectrum_floor)
