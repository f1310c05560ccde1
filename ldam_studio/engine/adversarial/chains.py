"""The chains that a discriminator is trained against, and how new ones are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ldam_studio.engine.adversarial.recipe import DiscriminatorRecipe
from ldam_studio.networks.network import Network
from ldam_studio.sampler.preconditioner import clouds
from ldam_studio.sampler.random import Generators

LEAST_SPREAD = 0.05
"""Smallest standard deviation of the start noise; it is drawn log-uniformly between this and 1."""

GREY_STARTS, CLOUDY_STARTS = 1 / 3, 1 / 2
"""Share of starts around a grey other than the rest colour, and share of starts with a recipe's
start spectrum."""


@dataclass
class Chains:
    """All chains of a training.

    Attributes
    ----------
    x
        ``(chains, C, H, W)`` in pixel units.
    classes
        ``(chains,)``, indices of the last layer's neurons.
    values
        Settings that differ from chain to chain, by name, each ``(chains,)``.
    """

    x: torch.Tensor
    classes: torch.Tensor
    values: dict[str, torch.Tensor]

    def replace(self, which: torch.Tensor, by: Chains) -> None:
        """Replace the chains with the indices ``which`` by the chains ``by``."""
        self.x[which], self.classes[which] = by.x, by.classes
        for name, value in by.values.items():
            self.values[name][which] = value


def draw_chains(
    network: Network, recipe: DiscriminatorRecipe, count: int, generators: Generators
) -> Chains:
    """Draw starts, classes and discriminator weights.

    Starts are as varied as those that users make: faint noise around the rest colour, as in a new
    session; strong noise; and noise around another grey, like a melted picture. A chain with any
    other kind of start would find images that the discriminator never learned to reject, for
    example a black one. One discriminator weight in eleven is 1, since only those chains show which
    images the discriminator alone prefers.
    """
    pixels, draw = network.pixels, generators["fresh"]

    def uniform(least: float, most: float, *shape: int) -> torch.Tensor:
        return least + (most - least) * torch.rand((count, *shape), generator=draw)

    spread = LEAST_SPREAD ** uniform(0, 1, 1, 1, 1)
    grey = uniform(*recipe.greys, 1, 1, 1) * (uniform(0, 1, 1, 1, 1) < GREY_STARTS)
    noise = torch.randn((count, *pixels.shape), generator=draw)
    if recipe.clouds:
        cloudy = uniform(0, 1, 1, 1, 1) < CLOUDY_STARTS
        shaped = clouds(noise, recipe.clouds, recipe.settings.colour_correlation)
        noise = torch.where(cloudy, shaped, noise)
    x = (pixels.rest + grey + spread * noise).clamp_(*pixels.bounds)
    classes = torch.randint(network.class_layer.neurons, (count,), generator=draw)
    values = {"discriminator_weight": uniform(0, 1.1).clamp_max(1)}
    for name, most in (("smoothness", recipe.smoothness), ("l2", recipe.l2)):
        if most:
            values[name] = uniform(-most, most).clamp_min(0)
    return Chains(x, classes, values)
