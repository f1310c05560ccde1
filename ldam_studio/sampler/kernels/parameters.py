"""The numbers of a step, made once per change of a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ldam_studio.sampler.terms.term import Term


@dataclass(frozen=True)
class Weighted:
    """A term with what multiplies it: `factor` in U, `rate` = (eps/2) factor in a step.

    Both have shape (chains, 1, 1, 1).
    """

    term: Term
    factor: Tensor
    rate: Tensor


@dataclass(frozen=True)
class Parameters:
    """What a kernel takes from the settings.

    Attributes
    ----------
    columns
        Each setting that may differ from chain to chain, by name, (chains, 1, 1, 1).
    terms
        The terms of U whose factor is not 0 for all chains.
    noise
        sqrt(eps T), (chains, 1, 1, 1).
    mode
        What stands for gradients of networks: "exact" for the gradients themselves, "normalised"
        for those divided by their size, "by pixel" for BIDMach's rule.
    spectrum, colour_correlation
        How the step is preconditioned (see `sampler.preconditioner`).
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
        """Whether a step carries some features further than others."""
        return self.spectrum > 0 or self.colour_correlation > 0
