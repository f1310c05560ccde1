"""Running kernels on formulas, without a network and without the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from ldam_studio.sampler.density import Density
from ldam_studio.sampler.kernels import Info, State, begin
from ldam_studio.sampler.objective import ValueAndGradient
from ldam_studio.sampler.prepare import kernel_of, parameters_of
from ldam_studio.sampler.settings import Settings


def density_of(
    activation: ValueAndGradient, log_real: ValueAndGradient | None = None, **about: Any
) -> Density:
    """Return the density of an activation, and of a discriminator if there is one."""
    sources = {"network": activation}
    if log_real is not None:
        sources["discriminator"] = log_real
    return Density(sources, **about)


def draw(source: str, x: Tensor, generator: torch.Generator) -> Tensor:
    """Draw what a kernel asks for."""
    if source == "accept":
        return torch.rand(len(x), generator=generator)
    return torch.randn(x.shape, generator=generator)


def states(
    x: Tensor, settings: Settings, density: Density, seed: int = 0, arithmetic: int = 1
) -> Iterator[tuple[State, Info]]:
    """Yield the chains after each step from x on, and what the step saw, without end."""
    generator = torch.Generator().manual_seed(seed)
    kernel = kernel_of(settings)
    parameters = parameters_of(settings, len(x), arithmetic=arithmetic)
    state = begin(x, density.bounds)
    while True:
        drawn = {name: draw(name, x, generator) for name in kernel.draws(state)}
        state, info = kernel.step(state, drawn, parameters, density)
        yield state, info


def run(
    x: Tensor,
    steps: int,
    settings: Settings,
    activation: ValueAndGradient,
    log_real: ValueAndGradient | None = None,
    seed: int = 0,
    arithmetic: int = 1,
    **about: Any,
) -> tuple[State, Info]:
    """Run chains for so many steps; `settings` may differ per chain."""
    about.setdefault("unrooted", parameters_of(settings, len(x)).unrooted)
    going = states(x, settings, density_of(activation, log_real, **about), seed, arithmetic)
    for _ in range(steps - 1):
        next(going)
    return next(going)


def linear(v: Tensor) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Return the neuron a(x) = v.x, with its gradient."""
    return lambda x: ((x * v).flatten(1).sum(1), v.expand_as(x))
