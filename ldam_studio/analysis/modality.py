"""How many pictures excite one neuron: chains with different starts are cooled and grouped.

An overfitted network may respond to many different pictures. Each chain has its own start, cools
from a high temperature, and is averaged once it is cool. The averages are then grouped by their
similarity. The required similarity is best taken from real images: the mean between two of one
class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ldam_studio.engine.activation import activation_of
from ldam_studio.engine.advance import advance
from ldam_studio.engine.changes.change import Change
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.explore.modes.grouping import group, similarity
from ldam_studio.networks.discriminators import DiscriminatorModel
from ldam_studio.networks.network import Network
from ldam_studio.networks.neurons import Neuron
from ldam_studio.sampler.settings import Settings

COOLINGS = 20
"""Number of times the temperature is lowered, each time by the same factor."""

HOT = 100.0
"""Factor by which the temperature is higher at first."""


@dataclass(frozen=True)
class Plan:
    """How the chains of each neuron are run.

    Attributes
    ----------
    chains
        Number of chains of each neuron.
    cooling
        Number of steps in which the temperature falls from `HOT` times its final value.
    averaged
        Number of steps after that; all of them are averaged.
    similarity
        Mean cosine above which two groups of averages form one mode.
    """

    chains: int = 20
    cooling: int = 200
    averaged: int = 300
    similarity: float = 0.5

    @property
    def steps(self) -> int:
        """Number of all steps."""
        return self.cooling + self.averaged


@dataclass(frozen=True)
class Groups:
    """Images grouped by their similarity.

    Attributes
    ----------
    pictures
        Mean of each group's images, (groups, C, H, W) in pixel units, largest group first.
    shares
        Share of the images in each group.
    effective
        Exponential of the entropy of the shares: the number of equally large groups with the same
        entropy.
    pairwise
        Mean cosine between two images, measured from the rest colour.
    """

    pictures: Tensor
    shares: tuple[float, ...]
    effective: float
    pairwise: float


@dataclass(frozen=True)
class Modality(Groups):
    """The modes of one neuron: the groups of its chains' averages.

    Attributes
    ----------
    spread
        Effective share of the image's pixels that carry the gradient at the averages: the inverse
        participation ratio of its energy, (sum e)^2 / (n sum e^2), as a mean over chains.
    activation
        Mean activation of the averages.
    """

    spread: float
    activation: float


def examine(
    network: Network,
    neurons: Sequence[Neuron],
    settings: Settings,
    plan: Plan,
    seed: int,
    device: Device,
    discriminator: DiscriminatorModel | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> list[Modality]:
    """Run the chains of `neurons`, all of one layer, and return the modes of each."""
    spread = tuple(neuron for neuron in neurons for _ in range(plan.chains))
    settings = settings.change("burn_in", plan.cooling).change("window", 0).change("threshold", 0.0)
    settings = settings.change("thin", 1)  # the plan averages every step
    final = settings.temperature
    spec = SessionSpec(network, spread, settings, seed, discriminator, device)
    state = open_session(spec)
    every = max(1, plan.cooling // COOLINGS)
    for step in range(plan.steps):
        changes = []
        if step < plan.cooling and step % every == 0:
            heat = HOT ** (1 - step / plan.cooling)
            changes.append(Change("temperature", _times(final, heat)))
        elif step == plan.cooling:
            changes += [Change("temperature", final), Change("reset_average")]
        state, _ = advance(state, changes)
        on_step()
    averages = state.lane.average.mean
    found = averages, *activation_of(state.lane, state.device)(averages)
    averages, activation, gradient = (values.detach().cpu() for values in found)
    rest = network.pixels.rest
    return [
        _modality(averages[part], gradient[part], activation[part], rest, plan)
        for part in torch.arange(len(spread)).split(plan.chains)
    ]


def _times(value: float | tuple[float, ...], factor: float) -> float | tuple[float, ...]:
    return value * factor if isinstance(value, float) else tuple(v * factor for v in value)


def grouped(images: Tensor, rest: float, least: float) -> Groups:
    """Group images (n, C, H, W) whose cosines are at least `least`, see `group`."""
    shapes = images - rest
    cosines = similarity(shapes)
    groups = sorted(group(cosines, least), key=len, reverse=True)
    shares = torch.tensor([len(g) for g in groups], dtype=torch.float64) / len(shapes)
    others = ~torch.eye(len(shapes), dtype=torch.bool)
    return Groups(
        pictures=torch.stack([images[g].mean(0) for g in groups]),
        shares=tuple(shares.tolist()),
        effective=float(torch.special.entr(shares).sum().exp()),
        pairwise=float(cosines[others].mean()) if len(shapes) > 1 else 1.0,
    )


def _modality(
    averages: Tensor, gradient: Tensor, activation: Tensor, rest: float, plan: Plan
) -> Modality:
    energy = gradient.double().square().sum(1).flatten(1)
    total = energy.sum(1).clamp_min(1e-300)
    held = total.square() / energy.square().sum(1).clamp_min(1e-300) / energy.shape[1]
    return Modality(
        **vars(grouped(averages, rest, plan.similarity)),
        spread=float(held.mean()),
        activation=float(activation.mean()),
    )
