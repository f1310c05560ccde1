"""Chains and a discriminator that take turns, so that the discriminator can be frozen afterwards.

This is Algorithm 2 of Jiang et al., arXiv 1812.04604, arranged so that the discriminator still
works after it is frozen. Chains exploit a discriminator wherever they reach images unlike those it
was trained on. Therefore there are many chains, new and old, with all classes and all discriminator
weights, and the discriminator learns from samples of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from ldam_studio.engine.advance import advance
from ldam_studio.engine.adversarial.chains import Chains, draw_chains
from ldam_studio.engine.adversarial.exchange_chains import exchange_chains
from ldam_studio.engine.adversarial.recipe import DiscriminatorRecipe
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import MELT_HEAT, SessionState
from ldam_studio.networks.discriminators import DiscriminatorModel, ImageSizes
from ldam_studio.networks.network import Network
from ldam_studio.sampler.random import Generators
from ldam_studio.training.averaging import ParameterAverage
from ldam_studio.training.learner import LearnerState, LearnInfo, from_tensors, learn_from_pool
from ldam_studio.training.learner import start as start_learner


@dataclass
class Training:
    """The state of a training between two rounds.

    Attributes
    ----------
    session
        Runs the chains of a round; its discriminator is the learner's module.
    learner
        The discriminator with its optimiser.
    chains
        All chains.
    generators
        Random generators for the starts and the choice of chains; sampler and learner have their
        own.
    average
        Mean of the discriminator's parameters: the result of the training.
    info
        Measures of the last round; None before the first.
    """

    session: SessionState
    learner: LearnerState
    chains: Chains
    generators: Generators
    average: ParameterAverage
    info: LearnInfo | None = None

    def stored(self) -> dict[str, Any]:
        """Return everything that the remaining rounds depend on, as `restore` reads it."""
        return {
            "learner": self.learner.tensors(),
            "chains": asdict(self.chains),
            "generators": self.generators.state(),
            "sampler": self.session.generators.state(),
            "average": self.average.stored(),
        }


def start(network: Network, recipe: DiscriminatorRecipe, seed: int) -> Training:
    """Return a training before its first round; ``seed`` decides everything random in it."""
    learning = start_learner(_module(recipe, seed), seed)
    generators = Generators(seed)
    chains = draw_chains(network, recipe, recipe.chains, generators)
    session = _session(network, recipe, seed, learning)
    return Training(session, learning, chains, generators, ParameterAverage(recipe.average))


def _module(recipe: DiscriminatorRecipe, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return recipe.build().to(memory_format=torch.channels_last)


def _session(
    network: Network, recipe: DiscriminatorRecipe, seed: int, learning: LearnerState
) -> SessionState:
    images = ImageSizes.exactly(network.pixels.shape)
    model = DiscriminatorModel("in training", learning.module, images)
    spec = SessionSpec(
        network,
        network.default_neurons(recipe.batch),
        # A fixed threshold avoids measuring one: burn-in does not matter here. Chains that run in
        # turns are at no common time of a schedule.
        recipe.settings.with_values(
            {"threshold": 0.0, "schedule_shape": "once", "schedule": 0, "resolution": 0}
        ),
        seed,
        model,
        Device(),
    )
    return open_session(spec)


def restore(
    network: Network, recipe: DiscriminatorRecipe, seed: int, stored: Mapping[str, Any]
) -> Training:
    """Return the training that `Training.stored` saved; it continues with the same bits."""
    learning = from_tensors(_module(recipe, seed), stored["learner"])
    session = _session(network, recipe, seed, learning)
    session.generators = Generators.restore(seed, "cpu", stored["sampler"])
    average = ParameterAverage(recipe.average)
    average.restore(stored["average"])
    return Training(
        session,
        learning,
        Chains(**stored["chains"]),
        Generators.restore(seed, "cpu", stored["generators"]),
        average,
        learning.last_round,
    )


def train(
    training: Training, recipe: DiscriminatorRecipe, real_images: Callable[[], torch.Tensor]
) -> Iterator[Training]:
    """Alternate between chains and discriminator until the recipe's rounds are done.

    Parameters
    ----------
    training
        From `start` or `restore`; changed in place.
    real_images
        Returns the real images of a round, ``(n, C, H, W)``, uint8 or float32 in pixel units.

    Yields
    ------
    Training
        ``training``, after each round.
    """
    network = training.session.lane.network
    last = network.class_layer
    neurons = network.spread(last.name, last.neurons)
    choice, chains = training.generators["choice"], training.chains
    for number in range(training.learner.rounds, recipe.rounds):
        chosen = torch.randperm(recipe.chains, generator=choice)[: recipe.batch]
        again = chosen[torch.rand(len(chosen), generator=choice) < recipe.restart]
        chains.replace(again, draw_chains(network, recipe, len(again), training.generators))
        values: dict[str, list[float] | float] = {
            name: value[chosen].tolist() for name, value in chains.values.items()
        }
        values["temperature"] = _temperatures(len(chosen), recipe, choice)
        for name, choices in recipe.by_round.items():
            values[name] = choices[int(torch.randint(len(choices), (), generator=choice))]
        session = exchange_chains(
            training.session,
            chains.x[chosen],
            [neurons[index] for index in chains.classes[chosen].tolist()],
            values,
        )
        for _ in range(recipe.steps):
            session, _ = advance(session)
        training.session = session
        chains.x[chosen] = session.lane.chains.x
        training.learner, training.info = learn_from_pool(
            training.learner,
            real_images(),
            chains.x,
            chains.values["discriminator_weight"] + recipe.floor,
            recipe.learning_batch,
            recipe.learning_steps,
            recipe.noises,
            _rate(recipe, number),
            recipe.denoising,
        )
        training.average.update(training.learner.module)
        yield training


def _rate(recipe: DiscriminatorRecipe, number: int) -> float:
    first, last = recipe.rates
    return first + (last - first) * number / max(1, recipe.rounds - 1)


def _temperatures(count: int, recipe: DiscriminatorRecipe, choice: torch.Generator) -> list[float]:
    melted = torch.rand(count, generator=choice) < recipe.melt
    base = torch.tensor(recipe.settings.temperature)
    return torch.where(melted, MELT_HEAT * base, base).tolist()
