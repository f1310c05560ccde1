"""Chains and a discriminator taking turns, until the discriminator holds up when it is frozen.

Algorithm 2 of Jiang et al., arXiv 1812.04604, so arranged that the discriminator still holds when
it is frozen afterwards. A discriminator is only as good as the chains it was shown: it is
exploited wherever chains come that it has never seen. So there are many chains, young and old, of
all classes and all discriminator weights, and what it learns from is drawn from all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ldam_studio.engine.advance import advance
from ldam_studio.engine.machine import choose
from ldam_studio.engine.place import place
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import MELT_HEAT, SessionState
from ldam_studio.headless.paper.measures import FIGURE_SETTINGS
from ldam_studio.networks.discriminator import Discriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.zoo import DiscriminatorModel
from ldam_studio.sampler.random import Generators
from ldam_studio.training.averaging import ParameterAverage
from ldam_studio.training.learner import (
    BATCH,
    BETAS,
    INSTANCE_NOISE,
    LEARNING_RATE,
    REAL_LABEL,
    STEPS_PER_ROUND,
    LearnerState,
    LearnInfo,
    learn_from_pool,
)
from ldam_studio.training.learner import start as start_learner

LEAST_SPREAD, GREYEST, GREY_STARTS = 0.05, 0.6, 1 / 3
"""Of starts: the spread is log-uniform up to 1, a third are around a grey up to .6."""


@dataclass(frozen=True)
class DiscriminatorRecipe:
    """How chains and discriminator take turns.

    Attributes
    ----------
    chains
        Chains that are kept; their classes are uniform, their weights too, but for some at 1.
    batch
        Chains that move in one round.
    restart
        Probability that a chain of those starts from noise again, with a new class and weight.
    melt
        Probability that a chain of those is melted in this round, at 100 times the temperature:
        what it collapses into later is shown to the discriminator, too.
    steps
        Sampler steps of a round.
    floor
        Added to a chain's weight to get its share of what the discriminator is shown: chains that
        do not listen to it (weight 0) are shown seldom, for they never improve.
    average
        The finished discriminator is the mean of the learning one's parameters over about so many
        last rounds. Playing against the chains it swings around; its mean leaves them less to
        exploit.
    rounds
        Rounds in all.
    """

    chains: int = 1000
    batch: int = 64
    restart: float = 0.08
    melt: float = 0.05
    steps: int = 20
    floor: float = 0.05
    average: int = 500
    rounds: int = 1500


@dataclass
class Training:
    """Where a training stands.

    Attributes
    ----------
    session
        Runs the chains of the round; the learner's own module is its discriminator.
    x, classes, weights
        All chains, ``(chains, 1, 28, 28)``, their classes and discriminator weights, ``(chains,)``.
    generators
        Sources of the starts and of the choice of chains; the sampler and learner have their own.
    average
        Mean of the discriminator's parameters, its result.
    """

    session: SessionState
    learner: LearnerState
    x: torch.Tensor
    classes: torch.Tensor
    weights: torch.Tensor
    generators: Generators
    average: ParameterAverage
    info: LearnInfo | None = None


def start(network: Network, recipe: DiscriminatorRecipe, seed: int) -> Training:
    """Return a training before its first round; all that is random in it comes from ``seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = Discriminator().to(memory_format=torch.channels_last)
    learning = start_learner(module, seed)
    generators = Generators(seed)
    x, classes, weights = _fresh(network, recipe.chains, generators)
    model = DiscriminatorModel("in training", learning.module, network.pixels.shape)
    spec = SessionSpec(
        network,
        network.default_neurons(recipe.batch),
        FIGURE_SETTINGS,
        seed,
        model,
        choose("cpu", threads=1),
    )
    session = open_session(spec)
    average = ParameterAverage(recipe.average)
    return Training(session, learning, x, classes, weights, generators, average)


def train(
    training: Training, recipe: DiscriminatorRecipe, real_images: torch.Tensor
) -> Iterator[Training]:
    """Take turns between chains and discriminator.

    Parameters
    ----------
    training
        From `start`; changed in place.
    real_images
        ``(n, 1, 28, 28)`` uint8 or float32 in pixel units.

    Yields
    ------
    Training
        ``training``, after each round.
    """
    network = training.session.lane.network
    neurons = network.default_neurons(network.layers[-1].neurons)
    choice = training.generators["choice"]
    for _ in range(recipe.rounds):
        chosen = torch.randperm(recipe.chains, generator=choice)[: recipe.batch]
        again = chosen[torch.rand(len(chosen), generator=choice) < recipe.restart]
        x, classes, weights = _fresh(network, len(again), training.generators)
        training.x[again], training.classes[again] = x, classes
        training.weights[again] = weights
        session = place(
            training.session,
            training.x[chosen],
            [neurons[number] for number in training.classes[chosen].tolist()],
            {
                "discriminator_weight": training.weights[chosen].tolist(),
                "temperature": _temperatures(len(chosen), recipe.melt, choice),
            },
        )
        for _ in range(recipe.steps):
            session, _ = advance(session)
        training.session = session
        training.x[chosen] = session.lane.chains.x
        training.learner, training.info = learn_from_pool(
            training.learner, real_images, training.x, training.weights + recipe.floor
        )
        training.average.update(training.learner.module)
        yield training


def _temperatures(count: int, melt: float, choice: torch.Generator) -> list[float]:
    melted = torch.rand(count, generator=choice) < melt
    base = torch.tensor(FIGURE_SETTINGS.temperature)
    return torch.where(melted, MELT_HEAT * base, base).tolist()


def _fresh(
    network: Network, count: int, generators: Generators
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw starts, classes and weights.

    Starts are as different as those that a person makes: faint noise around the rest colour, as the
    studio begins; strong noise; noise around a grey, as a melted picture looks. A chain that starts
    where none of these did finds what the discriminator never learned to turn down, such as a black
    image. One weight in eleven is 1: nobody but those chains shows what it asks for by itself.
    """
    pixels, draw = network.pixels, generators["fresh"]

    def uniform(least: float, most: float, *shape: int) -> torch.Tensor:
        return least + (most - least) * torch.rand((count, *shape), generator=draw)

    spread = LEAST_SPREAD ** uniform(0, 1, 1, 1, 1)
    grey = uniform(0, GREYEST, 1, 1, 1) * (uniform(0, 1, 1, 1, 1) < GREY_STARTS)
    noise = torch.randn((count, *pixels.shape), generator=draw)
    x = (pixels.rest + grey + spread * noise).clamp_(*pixels.bounds)
    classes = torch.randint(network.layers[-1].neurons, (count,), generator=draw)
    return x, classes, uniform(0, 1.1).clamp_max(1)


def describe(recipe: DiscriminatorRecipe) -> str:
    """Return the recipe in a sentence, for the model card."""
    return (
        f"{recipe.rounds} rounds; {recipe.chains} chains are kept, {recipe.batch} drawn a round, "
        f"{recipe.restart:.0%} of them restarted from noise with a new class, spread and weight, "
        f"{recipe.melt:.0%} melted; "
        f"{recipe.steps} sampler steps (normalised, step size {FIGURE_SETTINGS.step_size:g}, "
        f"temperature {FIGURE_SETTINGS.temperature:g}, clamped), then {STEPS_PER_ROUND} steps "
        f"of Adam ({LEARNING_RATE:g}, betas {BETAS[0]:g} and {BETAS[1]:g}) on {BATCH} real and "
        f"{BATCH} generated images, drawn in proportion to weight + {recipe.floor:g}; real label "
        f"{REAL_LABEL:g}, instance noise {INSTANCE_NOISE:g}; parameters averaged over about the "
        f"last {recipe.average} rounds"
    )
