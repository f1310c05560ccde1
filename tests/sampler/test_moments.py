"""Moments of layers, and the departure H from those of photographs, against closed forms."""

from __future__ import annotations

import pytest
import torch

from ldam_studio.sampler.moments import SMALLEST_VARIANCE, Expected, moments_of


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def plain(x):
    std = (x.float().var((2, 3)) + SMALLEST_VARIANCE).sqrt()
    return torch.cat([x.float().mean((2, 3)), std], dim=1)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_moments_are_means_and_standard_deviations(layout):
    x = (3 + draw(2, 5, 7, 6)).contiguous(memory_format=layout)
    leaf, other = x.clone().requires_grad_(True), x.clone().requires_grad_(True)
    found, expected = moments_of(leaf), plain(other)
    torch.testing.assert_close(found, expected)
    weights = draw(2, 10, seed=1)
    (slope,) = torch.autograd.grad((found * weights).sum(), leaf)
    (wanted,) = torch.autograd.grad((expected * weights).sum(), other)
    torch.testing.assert_close(slope, wanted)


def test_moments_of_bfloat16_are_computed_in_float32():
    x = (3 + draw(2, 5, 40, 40)).bfloat16().requires_grad_(True)
    found = moments_of(x)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, plain(x))
    (slope,) = torch.autograd.grad(found.sum(), x)
    assert slope.dtype == torch.bfloat16
    (wanted,) = torch.autograd.grad(plain(x).sum(), x)
    torch.testing.assert_close(slope.float(), wanted.float(), rtol=0.02, atol=1e-5)


def test_the_gradient_of_the_moments_agrees_with_finite_differences():
    x, way = draw(1, 3, 4, 5).requires_grad_(True), draw(1, 3, 4, 5, seed=2)
    (slope,) = torch.autograd.grad(moments_of(x).sum(), x)
    with torch.no_grad():
        up, down = moments_of(x + 1e-2 * way).sum(), moments_of(x - 1e-2 * way).sum()
        slope = slope.detach()
    assert float((up - down) / 2e-2) == pytest.approx(float((slope * way).sum()), rel=1e-3)


def test_a_channel_without_spread_has_a_finite_gradient():
    x = torch.full((1, 2, 3, 3), 7.0, requires_grad=True)
    (slope,) = torch.autograd.grad(moments_of(x).sum(), x)
    assert slope.isfinite().all()


def test_departure_has_its_closed_form():
    """Two layers count alike, whatever their numbers of channels."""
    expected = Expected(
        ("a", "b"),
        mean=torch.tensor([0.0, 1, 0, 0, 0, 0]),
        std=torch.tensor([1.0, 2, 1, 1, 1, 1]),
        share=torch.tensor([0.25, 0.25, 0.125, 0.125, 0.125, 0.125]),
    )
    first = torch.tensor([[4.0, 1.0], [0.5, 3.0]])  # z = 4, 0 and 0.5, 1
    second = torch.tensor([[0.0, 0, 0, -2.0], [1.0, -1, 0, 0]])
    found = expected.departure([first, second], 1.0)
    rise = [10**0.5 - 1, 2**0.5 - 1]  # of |z| = 4 and |z| = 2
    torch.testing.assert_close(found, torch.tensor([rise[0] / 4 + rise[1] / 8, 0.0]))
    found = expected.departure([first, second], 0.0)
    assert found[1] > 0


def test_departure_is_smooth_at_the_tolerance():
    expected = Expected(("a",), torch.zeros(2), torch.ones(2), torch.full((2,), 0.5))
    z = torch.tensor([[1.0, -1.0]], requires_grad=True)
    (slope,) = torch.autograd.grad(expected.departure([z], 1.0).sum(), z)
    assert not slope.any()
    z = torch.tensor([[1e3, -1e3]], requires_grad=True)
    (slope,) = torch.autograd.grad(expected.departure([z], 1.0).sum(), z)
    torch.testing.assert_close(slope, torch.tensor([[0.5, -0.5]]))
