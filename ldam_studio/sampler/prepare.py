"""Converting settings to what a step needs: the kernel, its mode and the numbers of each chain."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor

from ldam_studio.sampler.kernels import KERNELS, Kernel, Parameters
from ldam_studio.sampler.kernels.parameters import Weighted
from ldam_studio.sampler.settings import SETTINGS, PerChain, Settings
from ldam_studio.sampler.terms import TERMS, Term

Heat: TypeAlias = float | Tensor
"""A factor of the temperature: one number, or one for each chain, (chains, 1, 1, 1)."""


def kernel_of(settings: Settings) -> Kernel:
    """Return the kernel that the settings select."""
    return KERNELS[settings.kernel]


def mode_of(settings: Settings) -> str:
    """Return how gradients are scaled: as the kernel requires, else as the settings say."""
    return kernel_of(settings).mode or settings.mode


def parameters_of(
    settings: Settings,
    chains: int,
    device: torch.device | str = "cpu",
    heat: Heat = 1.0,
    arithmetic: int = 1,
) -> Parameters:
    """Expand `settings` to `chains` chains; `heat` multiplies the temperature (melting).

    `arithmetic` is that of `Parameters`.
    """

    def column(value: PerChain) -> Tensor:
        numbers = torch.tensor(value, dtype=torch.float32, device=device)
        return numbers.expand(chains).reshape(chains, 1, 1, 1).clone()

    columns = {
        name: column(getattr(settings, name))
        for name, about in SETTINGS.items()
        if about.per_chain and about.unsettles
    }
    columns["temperature"] = columns["temperature"] * heat
    half = columns["step_size"] / 2
    terms = []
    for term in TERMS:
        factor = term.factor(columns[term.setting])
        if term.always or bool((factor != 0).any()):
            terms.append(Weighted(term, factor, half * factor))
    return Parameters(
        columns=columns,
        terms=tuple(terms),
        noise=(columns["step_size"] * columns["temperature"]).sqrt(),
        mode=mode_of(settings),
        spectrum=settings.spectrum,
        spectrum_floor=settings.spectrum_floor,
        colour_correlation=settings.colour_correlation,
        arithmetic=arithmetic,
    )


PACED = ("step_size", "temperature", "denoiser_noise", "discriminator_weight")
"""The settings with a value for each chain that a schedule changes."""


def repaced(parameters: Parameters, settings: Settings, heat: Heat = 1.0) -> Parameters:
    """Return parameters with other values of the settings `PACED`, those of `settings`.

    The result is what `parameters_of` returns if nothing else has changed, but it takes less time
    and never waits for the device, so that a schedule can do it in every step.
    """
    like = parameters.step_size
    columns = {name: column(getattr(settings, name), like) for name in PACED}
    columns["temperature"] = columns["temperature"] * heat
    half = columns["step_size"] / 2
    known = {weighted.term: weighted.factor for weighted in parameters.terms}
    terms = []
    for term in TERMS:
        factor = known.get(term)
        if term.setting in PACED:
            factor = None
            if term.always or _weighs(term, getattr(settings, term.setting)):
                factor = term.factor(columns[term.setting])
        if factor is not None:
            terms.append(Weighted(term, factor, half * factor))
    return replace(
        parameters,
        columns={**parameters.columns, **columns},
        terms=tuple(terms),
        noise=(columns["step_size"] * columns["temperature"]).sqrt(),
    )


def _weighs(term: Term, weight: PerChain) -> bool:
    """Return whether a term has a factor other than 0 for any chain, without asking the device."""
    return bool((term.factor(torch.tensor(weight, dtype=torch.float32)) != 0).any())


def at_temperatures(parameters: Parameters, temperature: Tensor) -> Parameters:
    """Return parameters with other temperatures, (chains, 1, 1, 1)."""
    return replace(
        parameters,
        columns={**parameters.columns, "temperature": temperature},
        noise=(parameters.step_size * temperature).sqrt(),
    )


def column(value: PerChain, like: Tensor) -> Tensor:
    """Return a setting's value for each chain, shaped like another one's (chains, 1, 1, 1)."""
    if isinstance(value, tuple):
        return torch.tensor(value, dtype=like.dtype, device=like.device).reshape(like.shape)
    return torch.full_like(like, value)
