"""The discriminator's learner: the update of Algorithm 2 in Jiang et al., arXiv 1812.04604.

A value and functions on it, as the samplers are: `start` makes a `LearnerState`, `learn` takes one
and returns the next with what it saw. All that is random in it comes from its own named
generators, so that equal states given equal images end in equal bits, and a snapshot
(`LearnerState.tensors`) goes on as the original would have.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

from ldam_studio.errors import StudioError
from ldam_studio.networks.models.dropout import SeededDropout, use_generator

LEARNING_RATE = 2e-4
BETAS = (0.5, 0.9)
REAL_LABEL = 0.9
INSTANCE_NOISE = 0.1
BATCH = 64
LARGE, LARGE_BATCH = 64 * 64 * 3, 8
"""Images of more values than the first are learned from in such small batches: a round beside
running chains must not take many times as long as their step."""
STEPS_PER_ROUND = 2
RECENT_ROUNDS = 20
COLLAPSE_ROUNDS = 50
COLLAPSE_SPREAD = 0.005
GENERATORS = ("real", "fakes", "noise", "dropout")


@dataclass(frozen=True)
class Denoising:
    """What a discriminator's gradient learns from noisy real images: the way back to them.

    Told apart by their answers alone, images have a gradient that leads anywhere which changes the
    answer; chains follow it into patterns that no person would call real.

    Attributes
    ----------
    weight
        Of its loss beside the cross entropy.
    noises
        Least and most standard deviation of the noise, in pixel units.
    batch
        Real images of a step that it is learned from; one takes about three times as long as in
        the cross entropy, since gradients are differentiated.
    """

    weight: float
    noises: tuple[float, float]
    batch: int


@dataclass(frozen=True)
class LearnInfo:
    """What one round of learning saw.

    Attributes
    ----------
    rounds
        Rounds learned so far, this one counted.
    real_probability, fake_probability
        Mean probability "real" that the discriminator gave the real and the generated images of
        this round, while learning (with dropout and instance noise).
    collapsed
        Both scores have been constant for `COLLAPSE_ROUNDS` rounds: the discriminator answers the
        same whatever it sees, and teaches the chains nothing.
    """

    rounds: int
    real_probability: float
    fake_probability: float
    collapsed: bool


@dataclass
class LearnerState:
    """A discriminator that learns, with everything its next round depends on.

    Attributes
    ----------
    module
        Takes pixels ``(n, C, H, W)``, returns logits ``(n,)``. Between rounds it is frozen and in
        evaluation mode, ready for the sampler.
    optimiser
        Adam over the module's parameters.
    generators
        By name: which real images, which generated ones, instance noise, dropout's masks.
    recent
        Images the chains showed in the last `RECENT_ROUNDS` rounds, each ``(chains, C, H, W)``.
    rounds
        Rounds learned.
    scores
        Real and fake score of the last `COLLAPSE_ROUNDS` rounds.
    """

    module: nn.Module
    optimiser: torch.optim.Adam
    generators: dict[str, torch.Generator]
    recent: deque[torch.Tensor] = field(default_factory=lambda: deque(maxlen=RECENT_ROUNDS))
    rounds: int = 0
    scores: deque[tuple[float, float]] = field(
        default_factory=lambda: deque(maxlen=COLLAPSE_ROUNDS)
    )

    @property
    def last_round(self) -> LearnInfo | None:
        """What the last round saw; None before the first."""
        if not self.scores:
            return None
        return LearnInfo(self.rounds, *self.scores[-1], _collapsed(self))

    def clone(self) -> LearnerState:
        """Return an independent copy: learning with one leaves the other as it is."""
        return from_tensors(self.module, self.tensors())

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return a copy of everything in the state as tensors by name, fit for safetensors."""
        values = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            values |= {f"optimiser.{number}.{name}": value for name, value in moments.items()}
        values |= {f"generator.{name}": g.get_state() for name, g in self.generators.items()}
        values |= {f"recent.{number}": images for number, images in enumerate(self.recent)}
        values["rounds"] = torch.tensor(self.rounds)
        values["scores"] = torch.tensor(list(self.scores), dtype=torch.float64).reshape(-1, 2)
        return {name: value.detach().clone().contiguous() for name, value in values.items()}


def start(module: nn.Module, seed: int, device: torch.device | str = "cpu") -> LearnerState:
    """Return a learner that goes on from ``module``, which is copied and stays as it is.

    Parameters
    ----------
    module
        A discriminator: pixels ``(n, C, H, W)`` to logits ``(n,)``, its dropout a `SeededDropout`.
    seed
        Of all generators; each gets a stream of its own.
    """
    streams = torch.Generator().manual_seed(seed)
    seeds = torch.randint(2**62, (len(GENERATORS),), generator=streams).tolist()
    generators = {
        name: torch.Generator(device).manual_seed(value)
        for name, value in zip(GENERATORS, seeds, strict=True)
    }
    own = _copy(module).to(device)
    return LearnerState(_settle(own), _adam(own, generators), generators)


def from_tensors(module: nn.Module, tensors: Mapping[str, torch.Tensor]) -> LearnerState:
    """Return the learner whose `LearnerState.tensors` are given; the inverse of that.

    Parameters
    ----------
    module
        A module of the same architecture on the wanted device; it is copied.

    Raises
    ------
    StudioError
        The tensors are those of another architecture, or no learner's.
    """
    device = next(module.parameters()).device
    state = start(module, 0, device)
    try:
        state.module.load_state_dict(_under("module.", tensors))
        moments: dict[int, dict[str, torch.Tensor]] = {}
        parameters = list(state.module.parameters())
        for name, value in _under("optimiser.", tensors).items():
            number, _, moment = name.partition(".")
            moments.setdefault(int(number), {})[moment] = _laid_out(value, parameters[int(number)])
        optimiser = state.optimiser.state_dict()
        state.optimiser.load_state_dict({**optimiser, "state": moments})
        for name, generator in state.generators.items():
            generator.set_state(tensors[f"generator.{name}"].cpu())
        recent = {int(name): value for name, value in _under("recent.", tensors).items()}
        state.recent.extend(recent[number].clone().to(device) for number in sorted(recent))
        state.rounds = int(tensors["rounds"])
        state.scores.extend((float(real), float(fake)) for real, fake in tensors["scores"])
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        raise StudioError(
            "the discriminator's learning cannot go on from this snapshot: it belongs to another "
            f"discriminator or is damaged ({str(error).splitlines()[0]})."
        ) from error
    return state


def learn(
    state: LearnerState, real_images: torch.Tensor, fake: torch.Tensor
) -> tuple[LearnerState, LearnInfo]:
    """Learn one round: `STEPS_PER_ROUND` steps on real digits against the chains' recent images.

    Parameters
    ----------
    state
        Consumed: the state returned is the only one to go on with (`LearnerState.clone` keeps one).
    real_images
        ``(n, C, H, W)``, float32 in pixel units or uint8; each step draws `BATCH` of them,
        `LARGE_BATCH` where they are large.
    fake
        ``(chains, C, H, W)`` float32 in pixel units, the chains as they are now. They join the
        recent rounds, from all of which each step draws as many: a discriminator that sees only
        the newest images forgets the earlier ones.

    Returns
    -------
    tuple
        The next state, and what was seen.
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
    """Learn one round from generated images that the caller keeps.

    Parameters
    ----------
    state, real_images
        As for `learn`.
    pool
        ``(m, C, H, W)``, generated images in pixel units.
    shares
        ``(m,)`` non-negative, how often each of the pool is drawn relative to the others; without
        them all are drawn alike.
    batch, steps
        Images of either kind that a step sees, and steps of the round.
    noises
        Least and most standard deviation of the instance noise, in pixel units; each image's own
        is uniform between them.
    rate
        Adam's learning rate in this round.
    denoising
        What the discriminator's gradient learns beside its answers, if anything.
    """
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    real_means, fake_means = [], []
    for _ in range(steps):
        chosen = _draw(len(real_images), batch, None, state.generators["real"])
        real = real_images[chosen.to(real_images.device)].to(pool.device)
        real = real.float() / 255 if real.dtype == torch.uint8 else real
        fake = pool[_draw(len(pool), batch, shares, state.generators["fakes"])]
        real_probability, fake_probability = _step(state, real, fake, noises, denoising)
        real_means.append(real_probability)
        fake_means.append(fake_probability)
    state.rounds += 1
    scores = (sum(real_means) / len(real_means), sum(fake_means) / len(fake_means))
    state.scores.append(scores)
    return state, LearnInfo(state.rounds, *scores, _collapsed(state))


def _draw(
    count: int, batch: int, shares: torch.Tensor | None, generator: torch.Generator
) -> torch.Tensor:
    if shares is None:
        return torch.randint(count, (batch,), generator=generator, device=generator.device)
    return torch.multinomial(shares, batch, replacement=True, generator=generator)


def _step(
    state: LearnerState,
    real: torch.Tensor,
    fake: torch.Tensor,
    noises: tuple[float, float],
    denoising: Denoising | None = None,
) -> tuple[float, float]:
    """Take one step on the cross entropy; return the mean scores of both halves.

    Real images are labelled .9, so that the discriminator does not grow sure without bound, and
    both halves get instance noise (Soenderby et al., arXiv 1610.04490), so that it cannot tell
    them by the last bits of a pixel.
    """
    state.module.train().requires_grad_(True)
    images = torch.cat([real, fake])
    noise = torch.randn(images.shape, generator=state.generators["noise"], device=images.device)
    logits = state.module(images + _sizes(state, len(images), noises) * noise)
    labels = torch.zeros_like(logits)
    labels[: len(real)] = REAL_LABEL
    # Each half's mean counts once, as in Algorithm 2, whatever their sizes.
    losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    loss = losses[: len(real)].mean() + losses[len(real) :].mean()
    if denoising is not None:
        loss = loss + denoising.weight * _denoising_loss(state, real[: denoising.batch], denoising)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    state.optimiser.step()
    state.optimiser.zero_grad(set_to_none=True)
    _settle(state.module)
    scores = logits.detach().sigmoid()
    return float(scores[: len(real)].mean()), float(scores[len(real) :].mean())


def _denoising_loss(state: LearnerState, real: torch.Tensor, denoising: Denoising) -> torch.Tensor:
    """Return the mean of 1 - cos between the gradient at a noisy image and the way back from it.

    Denoising score matching (Vincent 2011; Saremi et al., arXiv 1805.08306) of the direction alone:
    of a normalised gradient the chains follow nothing else.
    """
    source = state.generators["noise"]
    noise = torch.randn(real.shape, generator=source, device=real.device)
    noisy = real + _sizes(state, len(real), denoising.noises) * noise
    noisy.requires_grad_(True)
    (pull,) = torch.autograd.grad(state.module(noisy).sum(), noisy, create_graph=True)
    return 1 + functional.cosine_similarity(pull.flatten(1), noise.flatten(1)).mean()


def _sizes(state: LearnerState, count: int, noises: tuple[float, float]) -> torch.Tensor | float:
    """Return the standard deviation of each image's instance noise, ``(count, 1, 1, 1)``."""
    least, most = noises
    if least == most:
        return most
    source = state.generators["noise"]
    drawn = torch.rand((count, 1, 1, 1), generator=source, device=source.device)
    return least + (most - least) * drawn


def _collapsed(state: LearnerState) -> bool:
    if len(state.scores) < COLLAPSE_ROUNDS:
        return False
    spread = torch.tensor(list(state.scores), dtype=torch.float64).std(0)
    return bool((spread < COLLAPSE_SPREAD).all())


def _settle(module: nn.Module) -> nn.Module:
    return module.eval().requires_grad_(False)


def _adam(module: nn.Module, generators: Mapping[str, torch.Generator]) -> torch.optim.Adam:
    use_generator(module, generators["dropout"])
    return torch.optim.Adam(module.parameters(), LEARNING_RATE, betas=BETAS)


def _copy(module: nn.Module) -> nn.Module:
    """Copy a module without its generators, which belong to whoever trains it."""
    memo = {
        id(part.generator): None
        for part in module.modules()
        if isinstance(part, SeededDropout) and part.generator is not None
    }
    return copy.deepcopy(module, memo)


def _laid_out(value: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """Copy one of the optimiser's values into its parameter's memory layout, as Adam made it."""
    if value.shape != parameter.shape:
        return value.clone()
    return torch.empty_like(parameter, requires_grad=False).copy_(value)


def _under(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)
    }
