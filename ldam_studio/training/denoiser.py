"""Training of a denoiser: noise is added to images, and it learns to remove it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ldam_studio.networks.models.denoiser import SPREAD, Denoiser
from ldam_studio.sampler.denoiser_settings import LEAST_NOISE, MOST_NOISE
from ldam_studio.training.averaging import ParameterAverage
from ldam_studio.training.denoiser_images import LARGEST_CROP, Source


@dataclass(frozen=True)
class DenoiserRecipe:
    """How the denoiser is trained.

    Attributes
    ----------
    rounds, round_steps
        Number of rounds, and of optimiser steps in each. A round draws its images at once.
    batch
        Images of 112x112 pixels in a step; of smaller ones as many more as have equally many
        pixels.
    rate, warm_up, decay
        Learning rate of Adam, which is reached after `warm_up` steps, kept, and in the last
        `decay` steps falls to 0 along a cosine. Up to that point the training does not depend on
        its length.
    clip
        Largest norm of the gradient; a larger one is scaled down to it.
    window
        Window of the parameters' average, in steps.
    """

    rounds: int = 200
    round_steps: int = 50
    batch: int = 4
    rate: float = 1.5e-3
    warm_up: int = 200
    decay: int = 8000
    clip: float = 1.0
    window: int = 1000

    @property
    def steps(self) -> int:
        """Number of all steps."""
        return self.rounds * self.round_steps

    def images_of(self, side: int) -> int:
        """Return how many images with this side, in pixels, a step sees."""
        return round(self.batch * (LARGEST_CROP / side) ** 2)

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        rising = min(1.0, (step + 1) / self.warm_up)
        left = min(1.0, (self.steps - step) / self.decay)
        return self.rate * rising * (1 - math.cos(math.pi * left)) / 2

    def describe(self) -> str:
        """Return the recipe in words, for the card."""
        return (
            f"{self.steps} steps of Adam (learning rate {self.rate:g}, warmed up over "
            f"{self.warm_up} steps, falling to 0 along a cosine in the last {self.decay}; "
            f"gradients clipped to norm {self.clip:g}) on the pixels of {self.batch} images of "
            f"{LARGEST_CROP}x{LARGEST_CROP}; noise levels log-uniform from {LEAST_NOISE:g} to "
            f"{MOST_NOISE:g}; mean squared error in units of the error that is expected of a "
            "linear denoiser; bfloat16 where the processor has it; parameters averaged over about "
            f"the last {self.window} steps"
        )


@dataclass
class DenoiserTraining:
    """A training between two rounds: module, optimiser, average, random numbers, rounds done.

    `loss` is the mean over the last round.
    """

    module: Denoiser
    optimiser: torch.optim.Optimizer
    average: ParameterAverage
    random: torch.Generator = field(default_factory=torch.Generator)
    rounds: int = 0
    loss: float = math.nan

    def stored(self) -> dict[str, Any]:
        """Return everything that the rest of the training depends on, for `restore`."""
        return {
            "module": self.module.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.stored(),
            "random": self.random.get_state(),
            "rounds": self.rounds,
        }

    def restore(self, stored: dict[str, Any]) -> None:
        """Return to the state that `stored` returned."""
        self.module.load_state_dict(stored["module"])
        self.optimiser.load_state_dict(stored["optimiser"])
        self.average.restore(stored["average"])
        self.random.set_state(stored["random"])
        self.rounds = int(stored["rounds"])


def start(recipe: DenoiserRecipe, seed: int) -> DenoiserTraining:
    """Return a new training; all its random numbers come from the seed."""
    random = torch.Generator().manual_seed(seed)
    module = Denoiser()
    for name, weight in module.named_parameters():
        if name.endswith(("bias", "second.weight")) or name == "tail.weight":
            # Blocks start as the identity and the denoiser as the best linear one, which is stable.
            nn.init.zeros_(weight)
        else:
            nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=random)
    module.to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(module.parameters(), lr=recipe.rate)
    return DenoiserTraining(module, optimiser, ParameterAverage(recipe.window), random)


def train(
    training: DenoiserTraining, recipe: DenoiserRecipe, sources: Sequence[Source]
) -> Iterator[DenoiserTraining]:
    """Train, and yield the training after each round; the steps alternate between the sources.

    Raises
    ------
    StudioError
        If a photograph cannot be read.
    """
    each = math.ceil(recipe.round_steps / len(sources))
    while training.rounds < recipe.rounds:
        batches = [_batches(source, recipe, each, training.random) for source in sources]
        losses = []
        for number in range(recipe.round_steps):
            step = training.rounds * recipe.round_steps + number
            clean = batches[number % len(batches)][number // len(batches)]
            losses.append(_step(training, recipe, step, clean))
        training.rounds += 1
        training.loss = sum(losses) / len(losses)
        yield training


def _batches(
    source: Source, recipe: DenoiserRecipe, count: int, random: torch.Generator
) -> tuple[Tensor, ...]:
    """Return the given number of batches from a source."""
    size = recipe.images_of(source.side)
    batches: tuple[Tensor, ...] = source.draw(size * count, random).split(size)
    return batches


def _step(training: DenoiserTraining, recipe: DenoiserRecipe, step: int, images: Tensor) -> float:
    """Take one step of the optimiser on images (n, 3, H, W), uint8; return the loss."""
    clean = images.float() / 255
    drawn = torch.rand(len(clean), generator=training.random)
    noise = LEAST_NOISE * (MOST_NOISE / LEAST_NOISE) ** drawn
    level = noise.view(-1, 1, 1, 1)
    noisy = clean + level * torch.randn(clean.shape, generator=training.random)
    with torch.autocast("cpu", torch.bfloat16):
        denoised = training.module(noisy, noise)
    # The square of the factor with which F enters, see `Denoiser`.
    expected = (level * SPREAD).square() / (level.square() + SPREAD**2)
    loss = ((denoised.float() - clean).square() / expected).mean()
    training.optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(training.module.parameters(), recipe.clip)
    for group in training.optimiser.param_groups:
        group["lr"] = recipe.rate_at(step)
    training.optimiser.step()
    training.average.update(training.module)
    return float(loss.detach())


NOISE_LEVELS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6)
"""Noise levels at which a denoiser is measured."""


@torch.no_grad()
def errors(module: Denoiser, clean: Tensor, seed: int) -> dict[float, float]:
    """Return the root mean squared error of denoised images, by `NOISE_LEVELS`.

    Parameters
    ----------
    clean
        Images (n, 3, H, W) between 0 and 1.
    seed
        Seed of the noise.
    """
    random = torch.Generator().manual_seed(seed)
    found = {}
    for level in NOISE_LEVELS:
        noisy = clean + level * torch.randn(clean.shape, generator=random)
        denoised = module(noisy, torch.full((len(clean),), level))
        found[level] = (denoised - clean).square().mean().sqrt().item()
    return found
