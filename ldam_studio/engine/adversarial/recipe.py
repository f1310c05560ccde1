"""The settings for training a discriminator together with chains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import nn

from ldam_studio.sampler.settings import Settings
from ldam_studio.training.learner import (
    BATCH,
    BETAS,
    INSTANCE_NOISE,
    LEARNING_RATE,
    STEPS_PER_ROUND,
)
from ldam_studio.training.learner_step import REAL_LABEL, Denoising


@dataclass(frozen=True)
class DiscriminatorRecipe:
    """How chains and discriminator take turns.

    In each round a batch of the chains moves, then the discriminator learns from all of them.

    Attributes
    ----------
    settings
        Settings of the chains, except for those that the recipe varies.
    build
        Makes the discriminator.
    chains
        Number of chains. Their classes are uniform, and so are their discriminator weights, except
        that some are exactly 1.
    batch
        Number of chains that move in one round.
    restart
        Probability that a chain of the batch restarts from noise, with a new class and weight.
    melt
        Probability that a chain of the batch is melted in this round, at 100 times the temperature.
        The discriminator then also sees the images that form afterwards.
    steps
        Sampler steps per round.
    floor
        The discriminator is shown chains in proportion to their discriminator weight plus this
        number. Chains that ignore it (weight 0) never improve and are therefore shown rarely.
    average
        The finished discriminator has the mean of the parameters over about this many last rounds.
        The parameters oscillate during training; their mean leaves the chains less to exploit.
    rounds
        Number of rounds.
    learning_batch, learning_steps
        Number of real images, and of generated ones, in one discriminator step; number of
        discriminator steps per round.
    rates
        Its learning rate in the first round and in the last, linear between them.
    noises
        Smallest and largest standard deviation of the instance noise, in pixel units. Noise of many
        sizes hides the fine patterns that distinguish generated images at first, so that there is
        still something to learn about shapes.
    denoising
        The additional loss on the discriminator's gradient, if there is one.
    greys
        Smallest and largest difference between a start's grey and the rest colour, in pixel units.
    clouds
        Start spectrum of half of the starts; the others start from white noise.
    smoothness, l2
        Largest value of this setting; half of the chains get 0, the others a uniform share of it. 0
        keeps the value of `settings`.
    by_round
        Settings by name, each with the values from which one is drawn in every round.
    """

    settings: Settings
    build: Callable[[], nn.Module]
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
    smoothness: float = 0.0
    l2: float = 0.0
    by_round: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def describe(self) -> str:
        """Return the recipe as one sentence for a model card."""
        settings = self.settings
        varied = f", half of the starts of spectrum {self.clouds:g}" if self.clouds else ""
        varied += "".join(
            f", {name} of half of them uniform up to {most:g}"
            for name, most in (("smoothness", self.smoothness), ("L2 weight", self.l2))
            if most
        )
        for name, choices in self.by_round.items():
            shown = " or ".join(f"{value:g}" for value in dict.fromkeys(choices))
            varied += f", {name.replace('_', ' ')} {shown} by the round"
        return (
            f"{self.rounds} rounds; {self.chains} chains are kept, {self.batch} drawn a round, "
            f"{self.restart:.0%} of them restarted from noise with a new class, spread and weight, "
            f"{self.melt:.0%} melted; "
            f"{self.steps} sampler steps ({settings.mode}, step size {settings.step_size:g}, "
            f"temperature {settings.temperature:g}, clamped{varied}), then {self.learning_steps} "
            f"steps of Adam ({_rates(self.rates)}, betas {BETAS[0]:g} and {BETAS[1]:g}) on "
            f"{self.learning_batch} real and {self.learning_batch} generated images, drawn in "
            f"proportion to weight + {self.floor:g}; real label {REAL_LABEL:g}, instance noise "
            f"{_range(self.noises)}{_denoising(self.denoising)}; parameters averaged over about "
            f"the last {self.average} rounds"
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
