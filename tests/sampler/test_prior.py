"""The denoiser's term against the closed form of a normal density."""

from __future__ import annotations

import pytest
import torch

from kernel_steps import linear, run
from ldam_studio.sampler.prior import DETAIL, Prior, reduced, strength
from ldam_studio.sampler.settings import Settings

MEAN, VARIANCE = 0.7, 0.04
"""The density of images in these tests: independent normal pixels."""


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(-1, 1, 1, 1)


def denoise(x: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
    """Return the mean of the clean images of that density."""
    square = levels.view(-1, 1, 1, 1).square()
    return (VARIANCE * x + square * MEAN) / (VARIANCE + square)


def prior(levels: torch.Tensor, size: tuple[int, int], factor: torch.Tensor, noise=None) -> Prior:
    shape = (len(levels), 3, *reduced(*size))
    return Prior(denoise, levels, torch.zeros(shape) if noise is None else noise, factor)


@pytest.mark.parametrize("every", [1, 4])
def test_on_an_even_image_the_gradient_is_the_score_of_the_smoothed_density(every):
    levels, colours = column(0.1, 0.3), column(0.2, 0.9)
    factor = strength(every, levels, column(1e-3, 1e-3))
    score = (MEAN - colours) / (VARIANCE + levels.square())
    for side in (16, 144):
        x = colours.expand(2, 3, side, side)
        found = prior(levels, (side, side), factor).gradient(x)
        torch.testing.assert_close(found, (every * levels * score).expand_as(x))


@pytest.mark.parametrize("size", [(64, 64), (140, 132), (131, 145), (30, 17)])
def test_the_noise_has_mean_zero_and_any_size_will_do(size):
    generator = torch.Generator().manual_seed(0)
    levels = column(0.2, 0.2)
    x = torch.rand(2, 3, *size, generator=generator)
    noise = torch.randn(2, 3, *reduced(*size), generator=generator)
    pulls = [prior(levels, size, column(1.0, 1.0), n).gradient(x) for n in (noise, -noise)]
    without = prior(levels, size, column(1.0, 1.0)).gradient(x)
    torch.testing.assert_close(sum(pulls) / 2, without, atol=1e-5, rtol=1e-4)
    assert (pulls[0] - without).abs().max() > 0.01


def test_what_half_the_size_cannot_show_shrinks_as_normal_details_do():
    levels = column(0.1)
    rows = torch.arange(144).view(1, 1, -1, 1)
    board = ((rows + torch.arange(144)) % 2 * 2.0 - 1).expand(1, 3, 144, 144) * 0.1
    found = prior(levels, (144, 144), column(1.0)).gradient(MEAN + board)
    kept = DETAIL**2 / (DETAIL**2 + 0.1**2)
    inside = (slice(None), slice(None), slice(4, -4), slice(4, -4))
    torch.testing.assert_close(found[inside], (kept - 1) * board[inside])


def test_however_large_the_weight_a_step_goes_to_the_denoised_image_at_most():
    x, levels, rate = torch.rand(1, 3, 130, 130), column(0.1), column(50.0)
    noise = torch.randn(1, 3, 65, 65)
    moved = x + rate * prior(levels, (130, 130), strength(4, levels, rate), noise).gradient(x)
    whole = x + prior(levels, (130, 130), column(1.0), noise).gradient(x)
    torch.testing.assert_close(moved, whole)


@pytest.mark.parametrize("kernel", ["langevin", "underdamped", "bidmach", "mala"])
def test_chains_go_where_the_density_is_highest_except_with_mala(kernel):
    settings = Settings.of(
        mode="normalised", kernel=kernel, temperature=0, l2=0, denoiser_weight=(0.0, 1.0)
    )
    x, levels = torch.full((2, 3, 8, 8), 0.4), column(0.2, 0.2)
    term = prior(levels, (8, 8), strength(1, levels, column(0.0, 0.05)))
    state, _ = run(x, 300, settings, linear(torch.zeros(3, 8, 8)), prior=term)
    ends = torch.full_like(x, 0.4)
    if kernel != "mala":
        ends[1] = MEAN
    torch.testing.assert_close(state.x, ends, atol=0.02, rtol=0)


def test_a_preconditioned_step_goes_to_the_denoised_image_at_most_too():
    x, levels = torch.rand(1, 3, 16, 16), column(0.1)
    settings = Settings.of(
        temperature=0, l2=0, step_size=0.1, denoiser_weight=100, spectrum=0.5, spectrum_floor=5
    )
    still = linear(torch.zeros(3, 16, 16))
    term = prior(levels, (16, 16), strength(4, levels, column(0.05 * 100)))
    state, _ = run(x, 1, settings, still, prior=term)
    torch.testing.assert_close(state.x, denoise(x, levels.flatten()))


def test_without_a_denoiser_in_a_step_its_weight_has_no_effect():
    x, v = torch.rand(1, 3, 8, 8), linear(torch.rand(3, 8, 8))
    with_weight, without = (
        run(x, 5, Settings.of(denoiser_weight=weight), v)[0].x for weight in (2.0, 0.0)
    )
    assert torch.equal(with_weight, without)
