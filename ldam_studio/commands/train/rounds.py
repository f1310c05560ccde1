"""Chains and a discriminator taking turns, until the discriminator holds up when it is frozen.

Algorithm 2 of Jiang et al., arXiv 1812.04604, so arranged that the discriminator still holds when
it is frozen afterwards. A discriminator is only as good as the chains it was shown: it is
exploited wherever chains come that it has never seen. So there are many chains, young and old, of
all classes and all discriminator weights, and what it learns from is drawn from all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from ldam_studio.analysis.cifar10 import COLOUR_SETTINGS
from ldam_studio.analysis.digits import FIGURE_SETTINGS
from ldam_studio.engine.advance import advance
from ldam_studio.engine.compute.device import Device
from ldam_studio.engine.exchange_chains import exchange_chains
from ldam_studio.engine.session import SessionSpec, open_session
from ldam_studio.engine.state import MELT_HEAT, SessionState
from ldam_studio.networks.models.colour_discriminator import ColourDiscriminator
from ldam_studio.networks.models.digit_discriminator import Discriminator
from ldam_studio.networks.models.natural_discriminator import NaturalDiscriminator
from ldam_studio.networks.network import Network
from ldam_studio.networks.sources.opening import DiscriminatorModel
from ldam_studio.sampler.preconditioner import clouds
from ldam_studio.sampler.random import Generators
from ldam_studio.sampler.settings import Settings
from ldam_studio.training.averaging import ParameterAverage
from ldam_studio.training.learner import (
    BATCH,
    BETAS,
    INSTANCE_NOISE,
    LEARNING_RATE,
    REAL_LABEL,
    STEPS_PER_ROUND,
    Denoising,
    LearnerState,
    LearnInfo,
    from_tensors,
    learn_from_pool,
)
from ldam_studio.training.learner import start as start_learner

LEAST_SPREAD, GREY_STARTS, CLOUDY_STARTS = 0.05, 1 / 3, 1 / 2
"""Of starts: the spread is log-uniform from this to 1; a third are around another grey than rest,
and half are cloudy where the recipe has clouds."""


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
    learning_batch, learning_steps
        Images of either kind in one of the discriminator's steps, and its steps in a round.
    rates
        Its learning rate in the first round and in the last, linear between.
    noises
        Least and most standard deviation of the instance noise, in pixel units. Noise of many sizes
        hides the fine patterns in which generated images give themselves away at first, so that
        there is still something to learn about their shapes.
    denoising
        What the discriminator's gradient learns beside its answers, if anything.
    greys
        Least and most that a start's grey differs from the rest colour, in pixel units.
    clouds
        Start spectrum of half of the starts, the others having none.
    settings
        Of the chains, but for what the recipe varies.
    smoothness, l2
        Most that a chain has of them; half of the chains have none of either, the others a uniform
        share. 0 leaves the settings' own.
    by_round
        Settings by name, each with values of which one is drawn for every round.
    build
        Makes the discriminator.
    """

    chains: int = 1000
    batch: int = 64
    restart: float = 0.08
    melt: float = 0.05
    steps: int = 20
    floor: float = 0.05
    average: int = 500
    rounds: int = 1500
    learning_batch: int = BATCH
    learning_steps: int = STEPS_PER_ROUND
    rates: tuple[float, float] = (LEARNING_RATE, LEARNING_RATE)
    noises: tuple[float, float] = (INSTANCE_NOISE, INSTANCE_NOISE)
    denoising: Denoising | None = None
    greys: tuple[float, float] = (0.0, 0.6)
    clouds: float = 0.0
    settings: Settings = FIGURE_SETTINGS
    smoothness: float = 0.0
    l2: float = 0.0
    by_round: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    build: Callable[[], nn.Module] = Discriminator


PHOTO_RECIPE = DiscriminatorRecipe(
    chains=160,
    batch=16,
    restart=0.07,
    steps=8,
    average=80,
    rounds=300,
    learning_batch=32,
    learning_steps=4,
    noises=(0.0, 0.4),
    greys=(-0.4, 0.4),
    settings=Settings.of(mode="normalised", step_size=0.1, temperature=0.001, l2=0.0, clamp=True),
    smoothness=1.0,
    l2=0.3,
    by_round={
        "step_size": (0.02, 0.05, 0.1),
        "jitter": (0, 8, 16),
        "spectrum": (0.0, 0.0, 0.5),
        "colour_correlation": (0.0, 0.8),
    },
    build=NaturalDiscriminator,
)
"""For photographs: fewer and shorter rounds, since each step takes a hundred times as long."""

COLOUR_RECIPE = DiscriminatorRecipe(
    chains=240,
    batch=32,
    restart=0.06,
    steps=10,
    average=40,
    rounds=180,
    learning_steps=6,
    rates=(6e-4, 6e-5),
    noises=(0.0, 0.12),
    denoising=Denoising(0.1, (0.02, 0.15), batch=32),
    greys=(-0.4, 0.4),
    clouds=1.0,
    settings=COLOUR_SETTINGS,
    by_round={"step_size": (0.05, 0.1), "jitter": (0, 2), "spectrum": (0.0, 0.25, 0.5)},
    build=ColourDiscriminator,
)
"""For CIFAR-10: fewer chains, each of which moves often enough to answer what has been learned.

More instance noise makes a tamer discriminator, which lets finer patterns pass.
"""


@dataclass
class Chains:
    """The chains that are kept, by number.

    Attributes
    ----------
    x
        ``(chains, C, H, W)`` in pixel units.
    classes
        ``(chains,)``, indices of the last layer's neurons.
    values
        Settings that each chain has its own value of, by name, each ``(chains,)``.
    """

    x: torch.Tensor
    classes: torch.Tensor
    values: dict[str, torch.Tensor]

    def replace(self, which: torch.Tensor, by: Chains) -> None:
        """Put ``by`` in the place of the chains of these numbers."""
        self.x[which], self.classes[which] = by.x, by.classes
        for name, value in by.values.items():
            self.values[name][which] = value


@dataclass
class Training:
    """Where a training stands.

    Attributes
    ----------
    session
        Runs the chains of the round; the learner's own module is its discriminator.
    chains
        All chains.
    generators
        Sources of the starts and of the choice of chains; the sampler and learner have their own.
    average
        Mean of the discriminator's parameters, its result.
    info
        What the last round saw; None before the first.
    """

    session: SessionState
    learner: LearnerState
    chains: Chains
    generators: Generators
    average: ParameterAverage
    info: LearnInfo | None = None

    def stored(self) -> dict[str, Any]:
        """Return everything that the next rounds depend on, for `restore`."""
        return {
            "learner": self.learner.tensors(),
            "chains": asdict(self.chains),
            "generators": self.generators.state(),
            "sampler": self.session.generators.state(),
            "average": self.average.stored(),
        }


def start(network: Network, recipe: DiscriminatorRecipe, seed: int) -> Training:
    """Return a training before its first round; all that is random in it comes from ``seed``."""
    learning = start_learner(_module(recipe, seed), seed)
    generators = Generators(seed)
    chains = _fresh(network, recipe, recipe.chains, generators)
    session = _session(network, recipe, seed, learning)
    return Training(session, learning, chains, generators, ParameterAverage(recipe.average))


def _module(recipe: DiscriminatorRecipe, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return recipe.build().to(memory_format=torch.channels_last)


def _session(
    network: Network, recipe: DiscriminatorRecipe, seed: int, learning: LearnerState
) -> SessionState:
    model = DiscriminatorModel("in training", learning.module, network.pixels.shape)
    spec = SessionSpec(
        network,
        network.default_neurons(recipe.batch),
        # A threshold given saves measuring one: nobody asks here whether a chain is burned in.
        recipe.settings.change("threshold", 0.0),
        seed,
        model,
        Device(),
    )
    return open_session(spec)


def restore(
    network: Network, recipe: DiscriminatorRecipe, seed: int, stored: Mapping[str, Any]
) -> Training:
    """Return the training that `Training.stored` was taken from; it goes on to the same bits."""
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
    """Take turns between chains and discriminator, from where the training stands.

    Parameters
    ----------
    training
        From `start` or `restore`; changed in place.
    real_images
        Gives each round its real images, ``(n, C, H, W)`` uint8 or float32 in pixel units.

    Yields
    ------
    Training
        ``training``, after each round.
    """
    network = training.session.lane.network
    last = network.layers[-1]
    neurons = network.spread(last.name, last.neurons)
    choice, chains = training.generators["choice"], training.chains
    for number in range(training.learner.rounds, recipe.rounds):
        chosen = torch.randperm(recipe.chains, generator=choice)[: recipe.batch]
        again = chosen[torch.rand(len(chosen), generator=choice) < recipe.restart]
        chains.replace(again, _fresh(network, recipe, len(again), training.generators))
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


def _fresh(
    network: Network, recipe: DiscriminatorRecipe, count: int, generators: Generators
) -> Chains:
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
    grey = uniform(*recipe.greys, 1, 1, 1) * (uniform(0, 1, 1, 1, 1) < GREY_STARTS)
    noise = torch.randn((count, *pixels.shape), generator=draw)
    if recipe.clouds:
        cloudy = uniform(0, 1, 1, 1, 1) < CLOUDY_STARTS
        shaped = clouds(noise, recipe.clouds, recipe.settings.colour_correlation)
        noise = torch.where(cloudy, shaped, noise)
    x = (pixels.rest + grey + spread * noise).clamp_(*pixels.bounds)
    classes = torch.randint(network.layers[-1].neurons, (count,), generator=draw)
    values = {"discriminator_weight": uniform(0, 1.1).clamp_max(1)}
    for name, most in (("smoothness", recipe.smoothness), ("l2", recipe.l2)):
        if most:
            values[name] = uniform(-most, most).clamp_min(0)
    return Chains(x, classes, values)


def describe(recipe: DiscriminatorRecipe) -> str:
    """Return the recipe in a sentence, for the model card."""
    settings = recipe.settings
    varied = f", half of the starts of spectrum {recipe.clouds:g}" if recipe.clouds else ""
    varied += "".join(
        f", {name} of half of them uniform up to {most:g}"
        for name, most in (("smoothness", recipe.smoothness), ("L2 weight", recipe.l2))
        if most
    )
    for name, choices in recipe.by_round.items():
        shown = " or ".join(f"{value:g}" for value in dict.fromkeys(choices))
        varied += f", {name.replace('_', ' ')} {shown} by the round"
    return (
        f"{recipe.rounds} rounds; {recipe.chains} chains are kept, {recipe.batch} drawn a round, "
        f"{recipe.restart:.0%} of them restarted from noise with a new class, spread and weight, "
        f"{recipe.melt:.0%} melted; "
        f"{recipe.steps} sampler steps ({settings.mode}, step size {settings.step_size:g}, "
        f"temperature {settings.temperature:g}, clamped{varied}), then {recipe.learning_steps} "
        f"steps of Adam ({_rates(recipe.rates)}, betas {BETAS[0]:g} and {BETAS[1]:g}) on "
        f"{recipe.learning_batch} real and {recipe.learning_batch} generated images, drawn in "
        f"proportion to weight + {recipe.floor:g}; real label {REAL_LABEL:g}, instance noise "
        f"{_range(recipe.noises)}{_denoising(recipe.denoising)}; parameters averaged over about "
        f"the last {recipe.average} rounds"
    )


def _denoising(denoising: Denoising | None) -> str:
    if denoising is None:
        return ""
    return (
        f"; {denoising.weight:g} times (1 - cosine) between the gradient at {denoising.batch} real "
        f"images under noise of {_range(denoising.noises)} and the way back to them"
    )


def _rates(ends: tuple[float, float]) -> str:
    first, last = ends
    return f"{first:g}" if first == last else f"{first:g}, linearly down to {last:g}"


def _range(ends: tuple[float, float]) -> str:
    least, most = ends
    return f"{most:g}" if least == most else f"{least:g} to {most:g}"
