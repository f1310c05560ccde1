"""One optimiser step of a discriminator: cross entropy, and denoising of its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

REAL_LABEL = 0.9
"""Label of real images instead of 1, so that the logits do not grow without bound."""


@dataclass(frozen=True)
class Denoising:
    """A loss that makes the discriminator's gradient point from noisy real images to clean ones.

    If only the discriminator's answers are trained, its gradient may point in any direction that
    changes the answer, and chains follow it into patterns that nobody would call real.

    Attributes
    ----------
    weight
        Weight of this loss relative to the cross entropy.
    noises
        Smallest and largest standard deviation of the noise, in pixel units.
    batch
        Number of real images in a step that are used for it. An image takes about three times as
        long as in the cross entropy, because gradients are differentiated.
    """

    weight: float
    noises: tuple[float, float]
    batch: int


def step(
    module: nn.Module,
    optimiser: torch.optim.Optimizer,
    noise: torch.Generator,
    real: torch.Tensor,
    fake: torch.Tensor,
    noises: tuple[float, float],
    denoising: Denoising | None = None,
) -> tuple[float, float]:
    """Take one step on the cross entropy; return the mean P(real) of real and generated images.

    All images get instance noise (Soenderby et al., arXiv 1610.04490), so that the discriminator
    cannot distinguish them by the last bits of a pixel. `noise` is its generator, and `noises` its
    smallest and largest standard deviation.
    """
    module.train().requires_grad_(True)
    images = torch.cat([real, fake])
    added = torch.randn(images.shape, generator=noise, device=images.device)
    logits = module(images + _deviations(noise, len(images), noises) * added)
    labels = torch.zeros_like(logits)
    labels[: len(real)] = REAL_LABEL
    # Both halves have the same weight, as in Algorithm 2, even if their sizes differ.
    losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    loss = losses[: len(real)].mean() + losses[len(real) :].mean()
    if denoising is not None:
        part = real[: denoising.batch]
        loss = loss + denoising.weight * _denoising_loss(module, noise, part, denoising.noises)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    settle(module)
    probabilities = logits.detach().sigmoid()
    return float(probabilities[: len(real)].mean()), float(probabilities[len(real) :].mean())


def _denoising_loss(
    module: nn.Module, noise: torch.Generator, real: torch.Tensor, noises: tuple[float, float]
) -> torch.Tensor:
    """Return the mean of 1 - cos between a noisy image's gradient and the way to the clean image.

    This is denoising score matching (Vincent 2011; Saremi et al., arXiv 1805.08306) of the
    direction only, since chains with a normalised gradient use nothing else.
    """
    added = torch.randn(real.shape, generator=noise, device=real.device)
    noisy = real + _deviations(noise, len(real), noises) * added
    noisy.requires_grad_(True)
    (pull,) = torch.autograd.grad(module(noisy).sum(), noisy, create_graph=True)
    return 1 + functional.cosine_similarity(pull.flatten(1), added.flatten(1)).mean()


def _deviations(
    noise: torch.Generator, count: int, noises: tuple[float, float]
) -> torch.Tensor | float:
    """Return the standard deviation of each image's instance noise, ``(count, 1, 1, 1)``."""
    least, most = noises
    if least == most:
        return most
    drawn = torch.rand((count, 1, 1, 1), generator=noise, device=noise.device)
    return least + (most - least) * drawn


def settle(module: nn.Module) -> nn.Module:
    """Freeze a module and put it into evaluation mode, as the sampler needs it, in place."""
    return module.eval().requires_grad_(False)
