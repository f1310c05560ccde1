"""The density that chains sample: the networks behind its terms, and its bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from ldam_studio.sampler.objective import ValueAndGradient
from ldam_studio.sampler.prior import Prior
from ldam_studio.sampler.repelling import Repelling


def _none() -> Tensor | None:
    return None


def _same(x: Tensor) -> Tensor:
    return x


@dataclass(frozen=True)
class Density:
    """What the terms of U(x) need in this step; the density is exp(U / T) inside the bounds.

    Attributes
    ----------
    sources
        Outputs of networks by name: the activation ("network") and log D ("discriminator"). A term
        whose source is missing is left out.
    rest
        The colour towards which L2 pulls, in pixel units.
    field_size
        Number of pixel values in the neurons' receptive field, (chains,) if it differs; None for
        the whole image.
    bounds
        The range of valid pixels, outside of which the density is 0; None for no bounds.
    unrooted
        Returns R^-1 x, where R^2 is the preconditioner of the step.
    led
        Returns the mask (chains,) of chains that are guided because their neuron has no gradient,
        or None if there are none. The mask is known only after the network was evaluated. The steps
        of such a chain do not sample the density.
    prior
        The denoiser in this step; None without one.
    repelling
        The kept pictures that chains are pushed away from; None without any.
    """

    sources: Mapping[str, ValueAndGradient]
    rest: float | Tensor = 0.0
    field_size: int | Tensor | None = None
    bounds: tuple[float, float] | None = None
    unrooted: Callable[[Tensor], Tensor] = _same
    led: Callable[[], Tensor | None] = _none
    prior: Prior | None = None
    repelling: Repelling | None = None
