"""The numbers that a step uses, computed once for each change of a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.sampler import half_spectrum
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
    arithmetic
        How a step is computed: 1 as in version 0.1.0, so that its pictures replay to the same
        pixels; 2 with fewer operations (see `sampler.half_spectrum`).
    """

    columns: Mapping[str, Tensor]
    terms: tuple[Weighted, ...]
    noise: Tensor
    mode: str
    spectrum: float
    spectrum_floor: float
    colour_correlation: float
    arithmetic: int = 1

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

    @property
    def in_waves(self) -> bool:
        """Whether the step is computed in Fourier space (see `sampler.half_spectrum`)."""
        return self.arithmetic > 1 and self.spectrum > 0

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

    def step_in_waves(
        self, drift: Tensor | None, noise: Tensor | None, size: tuple[int, int]
    ) -> Tensor:
        """Return P drift + R noise, see `half_spectrum.step_in_waves`; `drift` is overwritten."""
        return half_spectrum.step_in_waves(
            drift, noise, size, self.spectrum, self.colour_correlation, self.spectrum_floor
        )

    def coloured(self, noise: Tensor) -> Tensor:
        """Return R noise for normal numbers; those are coefficients if the step is `in_waves`."""
        if not self.in_waves:
            return self.root(noise)
        return self.step_in_waves(None, noise, (noise.shape[2], noise.shape[3]))

    def unrooted(self, x: Tensor) -> Tensor:
        """Return R^-1 x."""
        return unrooted(x, self.spectrum, self.colour_correlation, self.spectrum_floor)

    def strength(self, x: Tensor) -> Tensor:
        """Return the norm of R x of each chain, (chains,)."""
        if self.in_waves:
            return self.strength_of_waves(half_spectrum.waves_of(x), x.shape[3])
        return strength(x, self.spectrum, self.colour_correlation, self.spectrum_floor)

    def strength_of_waves(self, waves: Tensor, width: int) -> Tensor:
        """Return the same as `strength`, given the half spectrum of x and its width."""
        return half_spectrum.strength(
            waves, width, self.spectrum, self.colour_correlation, self.spectrum_floor
        )
