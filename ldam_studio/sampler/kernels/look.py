"""Evaluating the terms at the chains' pixels: the first half of every kernel's step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.half_spectrum import waves_of
from ldam_studio.sampler.kernels.kernel import Info
from ldam_studio.sampler.kernels.parameters import Parameters, Weighted

SMALLEST_RMS = 1e-8


@dataclass(frozen=True)
class Part:
    """A term at x: its value (chains,), None if not requested, and its gradient shaped like x.

    `rate`, (chains, 1, 1, 1), is the factor of the gradient in a step. `waves` is the half spectrum
    of the gradient if its size was computed from it (see `Parameters.in_waves`), otherwise None.
    """

    weighted: Weighted
    value: Tensor | None
    gradient: Tensor
    rate: Tensor
    waves: Tensor | None = None


@dataclass(frozen=True)
class Look:
    """All terms at x, and the measurements for the step's report."""

    parts: tuple[Part, ...]
    info: Info

    def add_drift(self, move: Tensor) -> Tensor:
        """Add (eps/2) grad U to `move`, in place, and return it.

        Terms that are `preconditioned` are left out; see `add_preconditioned`.
        """
        return self._add(move, preconditioned=False)

    def add_preconditioned(self, move: Tensor) -> Tensor:
        """Add (eps/2) P grad U of the terms that are `preconditioned`, in place, and return it."""
        return self._add(move, preconditioned=True)

    def drift_in_waves(self) -> Tensor:
        """Return the half spectrum of the drift that `add_drift` adds."""
        parts = [part for part in self.parts if not part.weighted.term.preconditioned]
        waves = [part.waves * part.rate for part in parts if part.waves is not None]
        others = [part for part in parts if part.waves is None]
        if others:
            drift = others[0].gradient * others[0].rate
            for part in others[1:]:
                drift.addcmul_(part.gradient, part.rate)
            waves.append(waves_of(drift))
        total = waves[0]
        for further in waves[1:]:
            total += further
        return total

    def _add(self, move: Tensor, *, preconditioned: bool) -> Tensor:
        for part in self.parts:
            if part.weighted.term.preconditioned == preconditioned:
                move.addcmul_(part.gradient, part.rate)
        return move

    def log_density(self) -> Tensor:
        """Return U for each chain, (chains,); requires an evaluation with values."""
        total = torch.zeros_like(self.info.activation)
        for part in self.parts:
            assert part.value is not None
            total = total + part.weighted.factor.flatten() * part.value
        return total


def look(x: Tensor, parameters: Parameters, density: Density, *, valued: bool = False) -> Look:
    """Evaluate the terms at x (chains, C, H, W).

    Values of closed-form terms are computed only if `valued`.
    """
    parts: list[Part] = []
    values: dict[str, Tensor] = {}
    sizes: dict[str, Tensor] = {}
    normalised = parameters.mode == "normalised"
    for weighted in parameters.terms:
        term, rate, waves = weighted.term, weighted.rate, None
        if not term.is_in(density) or (valued and not term.has_value):
            continue
        value, gradient = term.evaluate(x, density, valued=valued)
        if term.source is not None and value is not None:
            values[term.source] = value
            if normalised or term.source == "network":
                seen = density.field_size if term.source == "network" else None
                if normalised and parameters.in_waves:
                    waves = waves_of(gradient)
                sizes[term.source] = rms = _rms(gradient, waves, parameters, seen)
            if normalised:
                # Dividing this factor has the effect of dividing the gradient, with much less work.
                rate = rate / rms.clamp_min(SMALLEST_RMS).reshape(-1, 1, 1, 1)
        parts.append(Part(weighted, value, gradient, rate, waves))
    log_real = values.get("discriminator")
    real_probability = None if log_real is None else log_real.exp()
    return Look(tuple(parts), Info(values["network"], real_probability, sizes["network"]))


def values_at(x: Tensor, parameters: Parameters, density: Density) -> tuple[Tensor, Tensor]:
    """Return the values of the terms at x and their factors in U, both (terms, chains)."""
    terms = [
        weighted
        for weighted in parameters.terms
        if weighted.term.is_in(density) and weighted.term.has_value
    ]
    values = torch.stack([weighted.term.value(x, density) for weighted in terms])
    return values, torch.stack([weighted.factor.flatten() for weighted in terms])


def _rms(
    gradient: Tensor, waves: Tensor | None, parameters: Parameters, size: int | Tensor | None
) -> Tensor:
    """Return the root-mean-square per chain over `size` values, or over the whole image if None.

    Values outside a receptive field are 0 anyway. In a preconditioned normalised step the gradient
    is measured in the coordinates in which the noise is white. If it were measured in pixels,
    gradients with broad features, which such a step amplifies, would move the chain too far.
    """
    size = gradient[0].numel() if size is None else size
    if waves is not None:
        return parameters.strength_of_waves(waves, gradient.shape[3]) / size**0.5
    if parameters.preconditioned and parameters.mode == "normalised":
        return parameters.strength(gradient) / size**0.5
    rms: Tensor = torch.linalg.vector_norm(gradient, dim=(1, 2, 3)) / size**0.5
    return rms
