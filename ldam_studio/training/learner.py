"""The discriminator's learner: the update of Algorithm 2 in Jiang et al., arXiv 1812.04604.

`start` makes a `LearnerState`; `learn` takes one and returns the next. All random numbers come from
the state's own named generators. Equal states with equal images therefore give equal bits, and a
snapshot (`LearnerState.tensors`) continues like the original.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from ldam_studio.errors import StudioError
from ldam_studio.networks.models.dropout import SeededDropout, use_generator
from ldam_studio.training.learner_step import Denoising, settle, step

LEARNING_RATE = 2e-4
BETAS = (0.5, 0.9)
INSTANCE_NOISE = 0.1
BATCH = 64
LARGE, LARGE_BATCH = 64 * 64 * 3, 8
"""Images with more values than `LARGE` are learned in batches of `LARGE_BATCH`, so that a round
beside running chains does not take many times as long as one of their steps."""
STEPS_PER_ROUND = 2
RECENT_ROUNDS = 20
COLLAPSE_ROUNDS = 50
COLLAPSE_SPREAD = 0.005
GENERATORS = ("real", "fakes", "noise", "dropout")


@dataclass(frozen=True)
class LearnInfo:
    """Measurements of one round of learning.

    Attributes
    ----------
    rounds
        Number of rounds so far, including this one.
    real_probability, fake_probability
        Mean probability "real" that the discriminator gave to the real and to the generated images
        of this round, while learning (with dropout and instance noise).
    collapsed
        Whether both probabilities have been constant for `COLLAPSE_ROUNDS` rounds. The
        discriminator then gives the same answer for all images, and its gradient contains no
        information for the chains.
    """

    rounds: int
    real_probability: float
    fake_probability: float
    collapsed: bool


@dataclass
class LearnerState:
    """A learning discriminator, with everything that its next round depends on.

    Attributes
    ----------
    module
        Takes pixels ``(n, C, H, W)``, returns logits ``(n,)``. Between rounds it is frozen and in
        evaluation mode, ready for the sampler.
    optimiser
        Adam for the module's parameters.
    generators
        Generators by name: for the choice of real images, the choice of generated ones, instance
        noise, and dropout.
    recent
        The chains' images in the last `RECENT_ROUNDS` rounds, each ``(chains, C, H, W)``.
    rounds
        Number of rounds so far.
    probabilities
        Mean P(real) of real and of generated images in each of the last `COLLAPSE_ROUNDS` rounds.
    """

    module: nn.Module
    optimiser: torch.optim.Adam
    generators: dict[str, torch.Generator]
    recent: deque[torch.Tensor] = field(default_factory=lambda: deque(maxlen=RECENT_ROUNDS))
    rounds: int = 0
    probabilities: deque[tuple[float, float]] = field(
        default_factory=lambda: deque(maxlen=COLLAPSE_ROUNDS)
    )

    @property
    def last_round(self) -> LearnInfo | None:
        """Measurements of the last round; None before the first."""
        if not self.probabilities:
            return None
        return LearnInfo(self.rounds, *self.probabilities[-1], _collapsed(self))

    def clone(self) -> LearnerState:
        """Return an independent copy."""
        return from_tensors(self.module, self.tensors())

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return a copy of the whole state as tensors by name, as safetensors requires."""
        values = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            values |= {f"optimiser.{number}.{name}": value for name, value in moments.items()}
        values |= {f"generator.{name}": g.get_state() for name, g in self.generators.items()}
        values |= {f"recent.{number}": images for number, images in enumerate(self.recent)}
        values["rounds"] = torch.tensor(self.rounds)
        values["scores"] = torch.tensor(list(self.probabilities), dtype=torch.float64).reshape(
            -1, 2
        )
        return {name: value.detach().clone().contiguous() for name, value in values.items()}


def start(module: nn.Module, seed: int, device: torch.device | str = "cpu") -> LearnerState:
    """Return a learner that starts with a copy of ``module``.

    Parameters
    ----------
    module
        A discriminator: pixels ``(n, C, H, W)`` to logits ``(n,)``; its dropout must be
        `SeededDropout`.
    seed
        Seed of all generators; each gets its own stream.
    """
    streams = torch.Generator().manual_seed(seed)
    seeds = torch.randint(2**62, (len(GENERATORS),), generator=streams).tolist()
    generators = {
        name: torch.Generator(device).manual_seed(value)
        for name, value in zip(GENERATORS, seeds, strict=True)
    }
    own = _copy(module).to(device)
    return LearnerState(settle(own), _adam(own, generators), generators)


def from_tensors(module: nn.Module, tensors: Mapping[str, torch.Tensor]) -> LearnerState:
    """Return the learner with the given `LearnerState.tensors`.

    Parameters
    ----------
    module
        A module of the same architecture on the intended device; it is copied.

    Raises
    ------
    StudioError
        If the tensors belong to another architecture, or not to a learner.
    """
    device = next(module.parameters()).device
    state = start(module, 0, device)
    try:
        state.module.load_state_dict(tensors_under("module.", tensors))
        moments: dict[int, dict[str, torch.Tensor]] = {}
        parameters = list(state.module.parameters())
        for name, value in tensors_under("optimiser.", tensors).items():
            number, _, moment = name.partition(".")
            moments.setdefault(int(number), {})[moment] = _laid_out(value, parameters[int(number)])
        for index, found in moments.items():
            shapes, like = {n: kept.shape for n, kept in found.items()}, parameters[index].shape
            whole = shapes == {"step": (), "exp_avg": like, "exp_avg_sq": like}
            if not (whole and found["step"] >= 1):
                raise ValueError("an optimiser of other parameters")
        optimiser = state.optimiser.state_dict()
        state.optimiser.load_state_dict({**optimiser, "state": moments})
        for name, generator in state.generators.items():
            generator.set_state(tensors[f"generator.{name}"].cpu())
        recent = {int(name): value for name, value in tensors_under("recent.", tensors).items()}
        state.recent.extend(recent[number].clone().to(device) for number in sorted(recent))
        state.rounds = int(tensors["rounds"])
        state.probabilities.extend((float(real), float(fake)) for real, fake in tensors["scores"])
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        raise StudioError(
            "The discriminator cannot continue learning from this snapshot: it belongs to another "
            f"discriminator or is damaged ({str(error).splitlines()[0]})."
        ) from error
    return state


def learn(
    state: LearnerState, real_images: torch.Tensor, fake: torch.Tensor
) -> tuple[LearnerState, LearnInfo]:
    """Learn one round: `STEPS_PER_ROUND` steps on real images and recent images of the chains.

    Parameters
    ----------
    state
        Consumed: only the returned state is valid afterwards (`LearnerState.clone` makes a copy).
    real_images
        ``(n, C, H, W)``, float32 in pixel units or uint8; each step draws `BATCH` of them, or
        `LARGE_BATCH` if they are large.
    fake
        ``(chains, C, H, W)`` float32 in pixel units, the chains' present images. Each step draws
        from these and from those of recent rounds: a discriminator that sees only the newest images
        forgets the earlier ones.

    Returns
    -------
    tuple
        The next state, and the round's measurements.
    """
    state.recent.append(fake.detach().clone())
    pool = torch.cat(list(state.recent))
    batch = BATCH if fake[0].numel() <= LARGE else LARGE_BATCH
    return learn_from_pool(state, real_images, pool, batch=batch)


def learn_from_pool(
    state: LearnerState,
    real_images: torch.Tensor,
    pool: torch.Tensor,
    shares: torch.Tensor | None = None,
    batch: int = BATCH,
    steps: int = STEPS_PER_ROUND,
    noises: tuple[float, float] = (INSTANCE_NOISE, INSTANCE_NOISE),
    rate: float = LEARNING_RATE,
    denoising: Denoising | None = None,
) -> tuple[LearnerState, LearnInfo]:
    """Learn one round from generated images that the caller provides.

    Parameters
    ----------
    state, real_images
        As for `learn`.
    pool
        ``(m, C, H, W)``, generated images in pixel units.
    shares
        ``(m,)`` non-negative numbers: how often each image of the pool is drawn relative to the
        others. None for equal shares.
    batch, steps
        Number of images of either kind in a step, and number of steps in the round.
    noises
        Smallest and largest standard deviation of the instance noise, in pixel units; that of each
        image is uniform between them.
    rate
        Adam's learning rate in this round.
    denoising
        An additional loss on the discriminator's gradient; None for no such loss.
    """
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    real_means, fake_means = [], []
    for _ in range(steps):
        chosen = _draw(len(real_images), batch, None, state.generators["real"])
        real = real_images[chosen.to(real_images.device)].to(pool.device)
        real = real.float() / 255 if real.dtype == torch.uint8 else real
        fake = pool[_draw(len(pool), batch, shares, state.generators["fakes"])]
        real_probability, fake_probability = step(
            state.module, state.optimiser, state.generators["noise"], real, fake, noises, denoising
        )
        real_means.append(real_probability)
        fake_means.append(fake_probability)
    state.rounds += 1
    means = (sum(real_means) / len(real_means), sum(fake_means) / len(fake_means))
    state.probabilities.append(means)
    return state, LearnInfo(state.rounds, *means, _collapsed(state))


def _draw(
    count: int, batch: int, shares: torch.Tensor | None, generator: torch.Generator
) -> torch.Tensor:
    if shares is None:
        return torch.randint(count, (batch,), generator=generator, device=generator.device)
    return torch.multinomial(shares, batch, replacement=True, generator=generator)


def _collapsed(state: LearnerState) -> bool:
    if len(state.probabilities) < COLLAPSE_ROUNDS:
        return False
    spread = torch.tensor(list(state.probabilities), dtype=torch.float64).std(0)
    return bool((spread < COLLAPSE_SPREAD).all())


def _adam(module: nn.Module, generators: Mapping[str, torch.Generator]) -> torch.optim.Adam:
    use_generator(module, generators["dropout"])
    return torch.optim.Adam(module.parameters(), LEARNING_RATE, betas=BETAS)


def _copy(module: nn.Module) -> nn.Module:
    """Copy a module without its generators, which belong to the training code."""
    memo = {
        id(part.generator): None
        for part in module.modules()
        if isinstance(part, SeededDropout) and part.generator is not None
    }
    return copy.deepcopy(module, memo)


def _laid_out(value: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """Copy one of the optimiser's values into its parameter's memory layout, as Adam creates it."""
    if value.shape != parameter.shape:
        return value.clone()
    return torch.empty_like(parameter, requires_grad=False).copy_(value)


def tensors_under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors whose names begin with `prefix`, by the rest of their names."""
    return {
        name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)
    }
