"""The density that chains sample: what its terms are made of, and where it is 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from ldam_studio.sampler.objective import ValueAndGradient


def _none() -> Tensor | None:
    return None


@dataclass(frozen=True)
class Density:
    """What the terms of U(x) need at this step; the density is exp(U / T) inside the bounds.

    Attributes
    ----------
    sources
        What networks say, by name: the activation ("network") and log D ("discriminator"). A term
        whose source is missing is left out.
    rest
        The colour that L2 pulls towards, in pixel units.
    field_size
        Number of pixel values in the neurons' receptive field, (chains,) where it differs; the
        whole image if None.
    bounds
        The range of valid pixels outside of which the density is 0; None for no bounds.
    led
        Returns which chains (chains,) are led away from where their neuron has no gradient, None
        for none; known once the network was asked. Such a chain samples nothing yet.
    """

    sources: Mapping[str, ValueAndGradient]
    rest: float | Tensor = 0.0
    field_size: int | Tensor | None = None
    bounds: tuple[float, float] | None = None
    led: Callable[[], Tensor | None] = _none
